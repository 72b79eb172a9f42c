// Broken model files: each must open, be read and be expanded, or give one clear error; no crash (the
// sanitizer build says so), no hang, and no allocation that the file's size does not justify.
// VITRINE_FUZZ_ROUNDS=20 multiplies the number of files.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/checkpoint/allocation_watch.h"
#include "core/checkpoint/mutation.h"
#include "core/model/model_spec.h"
#include "core/reference/reference.h"
#include "core/tensor/dequantize.h"
#include "support/scratch_folder.h"
#include "support/tiny_model.h"

namespace vitrine::core {
namespace {

using test::Bytes;

// What a file may cost: metadata as JSON takes at most so many bytes a byte of the file (an array of bytes
// becomes 16 a byte, an empty text in a list 8 bytes to 48), and expanding two-bit weights to float32 and
// double 36; the constant covers what does not grow: messages, a rope table, a path.
constexpr std::size_t kBytesAByte = 64, kConstant = 1 << 20;

class Mutations : public testing::Test {
 protected:
  static std::size_t rounds() {
    const char* wanted = std::getenv("VITRINE_FUZZ_ROUNDS");
    return wanted ? std::strtoul(wanted, nullptr, 10) : 1;
  }

  static Bytes contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto raw = std::as_bytes(std::span(text));
    return Bytes(raw.begin(), raw.end());
  }

  // Everything that happens to a model before the GPU sees it. An error is fine.
  static Result<void> use(const std::filesystem::path& path) {
    TRY_ASSIGN(const auto checkpoint, Checkpoint::open(path));
    for (const TensorEntry& tensor : checkpoint->tensors()) {
      if (!info(tensor.dtype).floating) continue;
      std::vector<float> values(tensor.elements());
      TRY(dequantize(tensor.dtype, tensor.bytes, values));
    }
    (void)checkpoint->displayName();
    (void)checkpoint->metadata().dump();
    TRY_ASSIGN(const ModelSpec spec, readModelSpec(checkpoint));
    const std::vector<std::int32_t> ids = {0};
    TRY(referenceForward(spec, ids));
    return {};
  }

  void hold(const std::filesystem::path& path, std::size_t file_bytes, std::uint64_t seed) {
    const auto start = std::chrono::steady_clock::now();
    test::startAllocationWatch();
    const Result<void> used = use(path);
    const test::AllocationRecord memory = test::stopAllocationWatch();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

    ++files_;
    if (!used) ++refused_;
    const std::string message = used ? "accepted" : used.error().describe();
    EXPECT_LE(memory.peak, kBytesAByte * file_bytes + kConstant) << "seed " << seed << ": " << message;
    EXPECT_LT(took.count(), 60) << "seed " << seed << ": " << message;
    EXPECT_LT(message.size(), 1500u) << "seed " << seed << ": " << message;
    for (const char c : message)
      ASSERT_GE(static_cast<unsigned char>(c), 0x20) << "seed " << seed << ": " << message;
    if (file_bytes > 10'000)  // beyond the constant part
      most_memory_ =
          std::max(most_memory_, static_cast<double>(memory.peak) / static_cast<double>(file_bytes));
  }

  void SetUp() override { spdlog::set_level(spdlog::level::err); }  // of tensors that nobody reads

  void TearDown() override {
    spdlog::set_level(spdlog::level::info);
    RecordProperty("files", std::to_string(files_));
    RecordProperty("refused", std::to_string(refused_));
    printf("%zu files, %zu refused, at most %.1f bytes of memory a byte\n", files_, refused_, most_memory_);
    EXPECT_GT(refused_, files_ / 4) << "the mutations hardly reach anything";
    EXPECT_LT(refused_, files_) << "not even harmless changes are accepted";
  }

  test::ScratchFolder folder_;
  std::size_t files_ = 0, refused_ = 0;
  double most_memory_ = 0;
};

TEST_F(Mutations, Gguf) {
  constexpr std::array kTypes = {DType::kQ2_K, DType::kQ3_K, DType::kQ4_K,
                                 DType::kQ5_K, DType::kQ6_K, DType::kIQ4_XS};
  std::vector<Bytes> originals;
  for (const DType type : kTypes) originals.push_back(test::tinyGguf(type));
  const auto path = folder_ / "m.gguf";
  for (std::uint64_t seed = 0; seed < 1200 * rounds(); ++seed) {
    const Bytes broken = test::Mutator(seed).mutate(originals[seed % originals.size()], 2000);
    test::writeFile(path, broken);
    hold(path, broken.size(), seed);
  }
}

TEST_F(Mutations, SafetensorsBytes) {
  const auto path = folder_ / "model.safetensors";
  test::writeFile(folder_ / "config.json", test::tinyConfig().dump());
  test::writeTinySafetensors(path);
  const Bytes original = contents(path);
  for (std::uint64_t seed = 0; seed < 500 * rounds(); ++seed) {
    const Bytes broken = test::Mutator(seed).mutate(original, 1400);
    test::writeFile(path, broken);
    hold(folder_.path(), broken.size(), seed);
  }
}

TEST_F(Mutations, SafetensorsHeader) {
  const auto path = folder_ / "model.safetensors";
  test::writeFile(folder_ / "config.json", test::tinyConfig().dump());
  test::writeTinySafetensors(path);
  const Bytes original = contents(path);
  std::uint64_t length = 0;
  std::memcpy(&length, original.data(), sizeof length);
  const char* text = reinterpret_cast<const char*>(original.data()) + sizeof length;
  const auto header = nlohmann::json::parse(text, text + length);
  const std::span<const std::byte> data = std::span(original).subspan(sizeof length + length);
  for (std::uint64_t seed = 0; seed < 400 * rounds(); ++seed) {
    // Every eighth keeps its header, so that the test's own writing is known to be right.
    const auto broken = seed % 8 == 0 ? header : test::Mutator(seed).mutate(header);
    Bytes file;
    test::GgufBuilder::appendText(file, broken.dump());
    test::GgufBuilder::appendBytes(file, data);
    test::writeFile(path, file);
    hold(folder_.path(), file.size(), seed);
  }
}

TEST_F(Mutations, ConfigJson) {
  const auto path = folder_ / "config.json";
  test::writeTinySafetensors(folder_ / "model.safetensors");
  const std::size_t model_bytes = std::filesystem::file_size(folder_ / "model.safetensors");
  for (std::uint64_t seed = 0; seed < 600 * rounds(); ++seed) {
    test::Mutator mutator(seed);
    nlohmann::json config = test::tinyConfig();
    if (seed % 3 == 0) config["model_type"] = "mistral";
    if (seed % 5 == 0)
      config.update({{"use_sliding_window", true}, {"sliding_window", 8}, {"max_window_layers", 0}});
    const std::string text = mutator.mutate(config).dump();
    const auto raw = std::as_bytes(std::span(text));
    const Bytes broken =
        seed % 2 == 0 ? Bytes(raw.begin(), raw.end()) : mutator.mutate(Bytes(raw.begin(), raw.end()), 800);
    test::writeFile(path, broken);
    hold(folder_.path(), model_bytes + broken.size(), seed);
  }
}

TEST_F(Mutations, Index) {
  const auto is_mlp = [](const std::string& name) { return name.find("mlp") != std::string::npos; };
  test::writeFile(folder_ / "config.json", test::tinyConfig().dump());
  test::writeTinySafetensors(folder_ / "a.safetensors", is_mlp);
  test::writeTinySafetensors(folder_ / "b.safetensors",
                             [&](const std::string& name) { return !is_mlp(name); });
  const std::size_t model_bytes = std::filesystem::file_size(folder_ / "a.safetensors") +
                                  std::filesystem::file_size(folder_ / "b.safetensors");
  nlohmann::json index;
  for (const auto& [name, shape] : test::tinyTensors())
    index["weight_map"][name] = is_mlp(name) ? "a.safetensors" : "b.safetensors";
  for (std::uint64_t seed = 0; seed < 200 * rounds(); ++seed) {
    test::Mutator mutator(seed);
    const std::string text = (seed % 8 == 0 ? index : mutator.mutate(index)).dump();
    const auto raw = std::as_bytes(std::span(text));
    const Bytes broken =
        seed % 2 == 0 ? Bytes(raw.begin(), raw.end()) : mutator.mutate(Bytes(raw.begin(), raw.end()), 800);
    test::writeFile(folder_ / "model.safetensors.index.json", broken);
    hold(folder_.path(), model_bytes + broken.size(), seed);
  }
}

// Well-formed, and written to cost as much memory a byte as they can.
TEST_F(Mutations, WastefulFiles) {
  constexpr std::size_t kCount = 100'000;
  const auto holdText = [&](const std::string& text) {
    test::writeFile(folder_ / "config.json", text);
    hold(folder_.path(), text.size() + std::filesystem::file_size(folder_ / "model.safetensors"), files_);
  };
  const auto repeated = [](std::string_view piece) {
    std::string text = "{\"a\": [";
    for (std::size_t i = 0; i < kCount; ++i) text += std::string(piece) + ",";
    return text + "0]}";
  };
  test::writeTinySafetensors(folder_ / "model.safetensors");
  for (const char* piece : {"0", "\"\"", "[]", "{}", "{\"\":0}", "[[[[[[[[]]]]]]]]"})
    holdText(repeated(piece));
  std::string keys = "{";
  for (std::size_t i = 0; i < kCount; ++i) keys += fmt::format("\"{:x}\":0,", i);
  holdText(keys + "\"z\":0}");
  holdText(test::tinyConfig().dump());

  const auto path = folder_ / "m.gguf";
  const auto holdGguf = [&](test::GgufBuilder& builder) {
    const Bytes file = builder.build();
    test::writeFile(path, file);
    hold(path, file.size(), files_);
  };
  test::GgufBuilder bytes, texts, many;
  holdGguf(bytes.set("bytes", std::vector<std::uint8_t>(kCount)));
  holdGguf(texts.set("texts", std::vector<std::string>(kCount)));
  for (std::size_t i = 0; i < kCount; ++i) many.set(fmt::format("{:x}", i), std::uint8_t{0});
  holdGguf(many);
}

}  // namespace
}  // namespace vitrine::core
