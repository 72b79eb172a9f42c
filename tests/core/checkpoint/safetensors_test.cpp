// safetensors files, folders, sharded models, and what is refused; the writer against the reader.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <nlohmann/json.hpp>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/json.h"
#include "core/checkpoint/safetensors_writer.h"
#include "support/gguf_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_model.h"

namespace vitrine::core {
namespace {

using nlohmann::json;
using test::Bytes;
using testing::ElementsAre;
using testing::HasSubstr;

Bytes fileOf(std::string_view header, std::size_t data_size) {
  Bytes file;
  test::GgufBuilder::appendText(file, header);
  file.resize(file.size() + data_size);
  return file;
}

class Safetensors : public testing::Test {
 protected:
  void expectRefused(const Bytes& bytes, std::string_view reason, ErrorCode code = ErrorCode::kInvalidFile) {
    test::writeFile(folder_ / "m.safetensors", bytes);
    expectRefused(folder_ / "m.safetensors", reason, code);
  }
  void expectRefused(const std::filesystem::path& path, std::string_view reason,
                     ErrorCode code = ErrorCode::kInvalidFile) {
    const auto checkpoint = Checkpoint::open(path);
    ASSERT_FALSE(checkpoint) << "expected: " << reason;
    EXPECT_THAT(checkpoint.error().describe(), HasSubstr(reason));
    EXPECT_EQ(checkpoint.error().code, code) << checkpoint.error().describe();
  }
  test::ScratchFolder folder_;
};

TEST_F(Safetensors, ReadsWhatItWrites) {
  const std::vector<float> values = {1, -2, 3.5f, 4, 5, 6};
  const std::vector<std::int32_t> ids = {7, -8};
  const Bytes flags(3, std::byte{1});
  const std::vector<SafetensorsItem> items = {
      {"flags", DType::kBool, {3}, flags},
      safetensorsItem("values", {2, 3}, values),
      safetensorsItem("ids", {2}, ids),
      {"nothing", DType::kF32, {0, 4}, {}},
      {"scalar", DType::kF32, {}, std::as_bytes(std::span(values).first(1))},
  };
  ASSERT_TRUE(writeSafetensors(folder_ / "t.safetensors", items, {{"prompt", "a \"quoted\" \xff word"}}));
  const auto checkpoint = Checkpoint::open(folder_ / "t.safetensors");
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  EXPECT_EQ((*checkpoint)->metadata()["__metadata__"]["prompt"], "a \"quoted\" \uFFFD word");
  ASSERT_EQ((*checkpoint)->tensors().size(), items.size());
  for (const SafetensorsItem& item : items) {
    const TensorEntry* tensor = (*checkpoint)->find(item.name);
    ASSERT_NE(tensor, nullptr) << item.name;
    EXPECT_EQ(tensor->dtype, item.dtype);
    EXPECT_EQ(tensor->shape, item.shape);
    EXPECT_TRUE(std::ranges::equal(tensor->bytes, item.bytes)) << item.name;
    const auto address = reinterpret_cast<std::uintptr_t>(tensor->bytes.data());
    EXPECT_EQ(address % info(item.dtype).block_bytes, 0u) << item.name << " is not aligned";
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1)
      << "no temporary file stays";
}

TEST_F(Safetensors, WriterRefusesWhatWouldBeWrong) {
  const std::vector<float> values = {1, 2};
  const SafetensorsItem good = safetensorsItem("a", {2}, values);
  const auto refuses = [&](std::vector<SafetensorsItem> items) {
    return !writeSafetensors(folder_ / "t.safetensors", items);
  };
  EXPECT_TRUE(refuses({good, good}));
  EXPECT_TRUE(refuses({safetensorsItem("a", {3}, values)}));
  EXPECT_TRUE(refuses({safetensorsItem("__metadata__", {2}, values)}));
  EXPECT_TRUE(refuses({{"q", DType::kQ8_0, {32}, Bytes(34)}}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "t.safetensors"));
  EXPECT_EQ(writeSafetensors(folder_ / "no/such/folder.safetensors", std::span(&good, 1)).error().code,
            ErrorCode::kIo);
}

TEST_F(Safetensors, RefusesHeadersThatLie) {
  expectRefused(fileOf("{", 0), "the header");
  expectRefused(fileOf("[]", 0), "m.safetensors");
  expectRefused(fileOf(R"({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})", 3),
                "truncated or damaged");
  expectRefused(fileOf(R"({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})", 5),
                "the tensors take 4 bytes, but the file holds 5");
  expectRefused(fileOf(R"({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}})", 4),
                "takes 8 bytes");
  expectRefused(fileOf(R"({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}})", 4),
                "a begin and an end");
  expectRefused(fileOf(R"({"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})", 4),
                "shape must be a list");
  expectRefused(fileOf(R"({"w": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}})", 4),
                "shape must be a list");
  expectRefused(fileOf(R"({"w": {"shape": [1], "data_offsets": [0, 4]}})", 4), "dtype is missing");
  expectRefused(
      fileOf(R"({"w": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 0]}})", 0),
      "more elements than 64 bits");
  expectRefused(fileOf(R"({"w": 3})", 0), "is no object");
  expectRefused(fileOf(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                           "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})",
                       4),
                "begins at byte 0");
  expectRefused(fileOf(R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
                           "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}})",
                       1),
                "\"a\" appears twice");
  expectRefused(fileOf(R"({"w": {"dtype": "F8_E8M0", "shape": [1], "data_offsets": [0, 1]}})", 1),
                "tensor w has type \"F8_E8M0\"", ErrorCode::kUnsupported);
  Bytes huge_header = fileOf("{}", 0);
  huge_header[5] = std::byte{1};
  expectRefused(huge_header, "truncated or damaged");
}

TEST_F(Safetensors, TakesTheConfigBesideAFileAndAFolder) {
  test::writeTinySafetensors(folder_ / "model.safetensors");
  const auto alone = Checkpoint::open(folder_ / "model.safetensors");
  ASSERT_TRUE(alone) << alone.error().describe();
  EXPECT_FALSE((*alone)->metadata().contains("model_type"));
  test::writeFile(folder_ / "config.json", test::tinyConfig().dump());
  test::writeFile(folder_ / "tokenizer.json", "{\"é\": 1}");
  for (const auto& path : {folder_ / "model.safetensors", folder_.path(), folder_ / ""}) {
    const auto checkpoint = Checkpoint::open(path);
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    EXPECT_EQ((*checkpoint)->metadata()["model_type"], "llama");
    EXPECT_EQ((*checkpoint)->tensors().size(), 12u);
    EXPECT_EQ((*checkpoint)->displayName(), folder_.path().filename().string());
    EXPECT_EQ((*checkpoint)->readSidecar("tokenizer.json"), "{\"é\": 1}");
    EXPECT_EQ((*checkpoint)->readSidecar("merges.txt").error().code, ErrorCode::kNotFound);
  }
  for (const char* broken : {"", "{", "[]", "{\"a\": 1, \"a\": 2}", "{\"a\": 1e999}"}) {
    test::writeFile(folder_ / "config.json", broken);
    expectRefused(folder_.path(), "config.json");
  }
}

TEST_F(Safetensors, JoinsShardsAsTheIndexTellsThem) {
  const auto is_first = [](const std::string& name) { return name.find("mlp") == std::string::npos; };
  const auto is_second = [&](const std::string& name) { return !is_first(name); };
  test::writeTinySafetensors(folder_ / "model-00001-of-00002.safetensors", is_first);
  test::writeTinySafetensors(folder_ / "model-00002-of-00002.safetensors", is_second);
  expectRefused(folder_.path(), "2 .safetensors files", ErrorCode::kInvalidArgument);
  json map;
  for (const auto& [name, shape] : test::tinyTensors())
    map[name] = is_first(name) ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
  const auto writeIndex = [&](const json& weight_map) {
    test::writeFile(folder_ / "model.safetensors.index.json", json{{"weight_map", weight_map}}.dump());
  };
  writeIndex(map);
  for (const auto& path : {folder_.path(), folder_ / "model-00002-of-00002.safetensors"}) {
    const auto checkpoint = Checkpoint::open(path);
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    EXPECT_EQ((*checkpoint)->tensors().size(), map.size());
  }
  json wrong = map;
  wrong["lm_head.weight"] = "model-00002-of-00002.safetensors";
  writeIndex(wrong);
  expectRefused(folder_.path(), "holds tensor lm_head.weight, but it does not");
  wrong["lm_head.weight"] = "model-00003-of-00002.safetensors";
  writeIndex(wrong);
  expectRefused(folder_.path(), "model-00003-of-00002.safetensors: no such file", ErrorCode::kNotFound);
  for (const json& name :
       {json("../model.safetensors"), json("/etc/passwd"), json(3), json(nullptr), json("config.json")}) {
    wrong["lm_head.weight"] = name;
    writeIndex(wrong);
    expectRefused(folder_.path(), "of the same folder");
  }
  writeIndex(json::object());
  expectRefused(folder_.path(), "weight_map is missing or empty");
}

TEST_F(Safetensors, SaysWhatToDoAboutOtherFiles) {
  expectRefused(folder_.path(), "holds no model", ErrorCode::kNotFound);
  expectRefused(folder_ / "none.gguf", "no such file", ErrorCode::kNotFound);
  test::writeFile(folder_ / "lfs.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  expectRefused(folder_ / "lfs.safetensors", "git lfs pull");
  test::writeFile(folder_ / "empty.gguf", "");
  expectRefused(folder_ / "empty.gguf", "empty.gguf is empty");
  test::writeFile(folder_ / "notes.txt", "Call me Ishmael.");
  expectRefused(folder_ / "notes.txt", "neither GGUF nor safetensors", ErrorCode::kUnsupported);
  ASSERT_EQ(::mkfifo((folder_ / "pipe.gguf").c_str(), 0600), 0);
  expectRefused(folder_ / "pipe.gguf", "not a regular file");
  expectRefused(std::filesystem::path("/dev/zero"), "not a regular file");
}

TEST_F(Safetensors, RefusesPicklesAndSaysHowToConvertThem) {
  for (const char* name :
       {"pytorch_model.bin", "model.pt", "consolidated.00.pth", "last.ckpt", "weights.pkl"}) {
    test::writeFile(folder_ / name, "PK\x03\x04whatever");
    for (const auto& path : {folder_ / name, folder_.path()}) {
      expectRefused(path, "can run any code when it is opened", ErrorCode::kUnsupported);
      expectRefused(path,
                    fmt::format("sorted(glob.glob('{}')) for k, v in torch.load(f, weights_only=True)", name),
                    ErrorCode::kUnsupported);
    }
    std::filesystem::remove(folder_ / name);
  }
  // Neither a name that says nothing nor another protocol hides one.
  for (const char* start : {"PK\x03\x04whatever", "\x80\x02}q", "\x80\x04\x95"}) {
    test::writeFile(folder_ / "model", start);
    expectRefused(folder_ / "model", "model is a Python pickle", ErrorCode::kUnsupported);
  }
  std::filesystem::remove(folder_ / "model");
  // The model, not the optimizer; all shards, not the first.
  test::writeFile(folder_ / "optimizer.pt", "PK\x03\x04whatever");
  test::writeFile(folder_ / "pytorch_model-00001-of-00002.bin", "PK\x03\x04whatever");
  expectRefused(folder_.path(), "pytorch_model-00001-of-00002.bin is a Python pickle",
                ErrorCode::kUnsupported);
  test::writeFile(folder_ / "pytorch_model.bin.index.json", R"({"weight_map":{}})");
  for (const auto& path : {folder_.path(), folder_ / "pytorch_model.bin.index.json"})
    expectRefused(path, "glob.glob('pytorch_model-*.bin')", ErrorCode::kUnsupported);
  // Beside safetensors they do not matter.
  test::writeFile(folder_ / "model.safetensors", "short");
  expectRefused(folder_.path(), "header");
}

TEST(Json, BoundsDepthAndSize) {
  EXPECT_TRUE(parseJsonObject(R"({"a": "[[[[{{{{", "b": "\"[[["})", "it", {.depth = 1}));
  EXPECT_THAT(parseJsonObject("{\"a\": " + std::string(100'000, '['), "it").error().message,
              HasSubstr("deep"));
  EXPECT_THAT(parseJsonObject("{}", "it", {.bytes = 1}).error().message, HasSubstr("2 bytes of JSON"));
  EXPECT_THAT(parseJsonObject("{\"a\":\n\x01}", "it").error().message, testing::Not(HasSubstr("\n")));
  EXPECT_FALSE(parseJsonObject("{\"a\": \"\xff\"}", "it"));
  EXPECT_FALSE(parseJsonObject("", "it"));
  EXPECT_FALSE(parseJsonObject("{\"a\": NaN}", "it"));
}

TEST(Json, QuotesTheNumbersThatOnlyPythonWrites) {
  EXPECT_EQ(quoteSpecialNumbers(R"({"a": [0.0, Infinity, -Infinity, NaN], "b": "\\\" NaN"})"),
            R"({"a": [0.0, "Infinity", "-Infinity", "NaN"], "b": "\\\" NaN"})");
  EXPECT_EQ(quoteSpecialNumbers("\"\\"), "\"\\");
}

}  // namespace
}  // namespace vitrine::core
