// What a GGUF file says, and every way in which one can lie.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/checkpoint/checkpoint.h"
#include "support/gguf_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_model.h"

namespace vitrine::core {
namespace {

using test::Bytes;
using test::GgufBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

class Gguf : public testing::Test {
 protected:
  Result<std::shared_ptr<const Checkpoint>> open(const Bytes& bytes, std::string_view name = "m.gguf") {
    test::writeFile(folder_ / name, bytes);
    return Checkpoint::open(folder_ / name);
  }
  void expectRefused(const Bytes& bytes, std::string_view reason, ErrorCode code = ErrorCode::kInvalidFile) {
    const auto checkpoint = open(bytes);
    ASSERT_FALSE(checkpoint) << "expected: " << reason;
    EXPECT_THAT(checkpoint.error().describe(), HasSubstr(reason));
    EXPECT_EQ(checkpoint.error().code, code) << checkpoint.error().describe();
  }
  test::ScratchFolder folder_;
};

const Bytes kFourFloats = [] {
  Bytes bytes;
  for (const float value : {1.0f, 2.0f, 3.0f, 4.0f}) GgufBuilder::append(bytes, value);
  return bytes;
}();

TEST_F(Gguf, GivesEveryKindOfValue) {
  GgufBuilder builder;
  builder.set("u8", std::uint8_t{200}).set("i8", std::int8_t{-3}).set("u16", std::uint16_t{60000});
  builder.set("i16", std::int16_t{-300})
      .set("u32", std::uint32_t{4'000'000'000})
      .set("i32", std::int32_t{-7});
  builder.set("u64", std::uint64_t{1} << 63).set("i64", std::int64_t{-5}).set("f32", 0.5f).set("f64", 0.1);
  builder.set("truth", true).set("text", "grüß").set("texts", std::vector<std::string>{"a", "", "c"});
  builder.set("numbers", std::vector<std::int32_t>{1, -2});
  const auto checkpoint = open(builder.build());
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const nlohmann::json wanted = {{"u8", 200},
                                 {"i8", -3},
                                 {"u16", 60000},
                                 {"i16", -300},
                                 {"u32", 4'000'000'000u},
                                 {"i32", -7},
                                 {"i64", -5},
                                 {"u64", 1ull << 63},
                                 {"f32", 0.5},
                                 {"f64", 0.1},
                                 {"truth", true},
                                 {"text", "grüß"},
                                 {"texts", {"a", "", "c"}},
                                 {"numbers", {1, -2}}};
  EXPECT_EQ((*checkpoint)->metadata(), wanted);
  EXPECT_EQ((*checkpoint)->format(), CheckpointFormat::kGguf);
  EXPECT_TRUE((*checkpoint)->tensors().empty());
}

TEST_F(Gguf, GivesTensorsRowMajorSortedAndWithTheirBytes) {
  GgufBuilder builder;
  builder.version = 2;
  builder.tensor("b", DType::kF32, {2, 1, 2}, kFourFloats)
      .tensor("a", DType::kF16, {3}, Bytes(6, std::byte{7}));
  const auto checkpoint = open(builder.build());
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  ASSERT_EQ((*checkpoint)->tensors().size(), 2u);
  EXPECT_EQ((*checkpoint)->tensors()[0].name, "a");
  const TensorEntry* b = (*checkpoint)->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_THAT(b->shape, ElementsAre(2, 1, 2));
  EXPECT_TRUE(std::ranges::equal(b->bytes, kFourFloats));
  EXPECT_EQ((*checkpoint)->find("c"), nullptr);
  EXPECT_THAT((*checkpoint)->require("c").error().message, HasSubstr("tensor c is missing"));
  EXPECT_EQ((*checkpoint)->parameters(), 7u);
  EXPECT_EQ((*checkpoint)->bytes(), 22u);
}

TEST_F(Gguf, HonoursItsAlignment) {
  GgufBuilder builder;
  builder.alignment = 256;
  builder.set("general.alignment", std::uint32_t{256});
  builder.tensor("a", DType::kF32, {4}, kFourFloats).tensor("b", DType::kF32, {4}, kFourFloats);
  const auto checkpoint = open(builder.build());
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  EXPECT_TRUE(std::ranges::equal((*checkpoint)->find("b")->bytes, kFourFloats));
  for (const std::uint32_t wrong : {0u, 3u, 48u, 1u << 31})
    expectRefused(GgufBuilder().set("general.alignment", wrong).build(),
                  "general.alignment must be a power of two");
  expectRefused(GgufBuilder().set("general.alignment", "32").build(),
                "general.alignment must be a power of two");
}

TEST_F(Gguf, RepairsTextsThatAreNotUtf8) {
  const auto checkpoint = open(GgufBuilder().set("text", "a\xff\xe2\x82z").build());
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ((*checkpoint)->metadata()["text"], "a\uFFFD\uFFFDz");
  EXPECT_NO_THROW((*checkpoint)->metadata().dump());
}

TEST_F(Gguf, RefusesOtherVersionsAndByteOrders) {
  GgufBuilder builder;
  builder.version = 1;
  expectRefused(builder.build(), "GGUF version 1", ErrorCode::kUnsupported);
  builder.version = 4;
  expectRefused(builder.build(), "GGUF version 4", ErrorCode::kUnsupported);
  builder.version = 3u << 24;
  expectRefused(builder.build(), "big-endian", ErrorCode::kUnsupported);
}

TEST_F(Gguf, RefusesEveryTruncation) {
  GgufBuilder builder = test::tinyGgufKeys();
  builder.tensor("w", DType::kF32, {4}, kFourFloats);
  Bytes whole = builder.build();
  whole.resize(whole.size() - 16);  // the padding behind the last tensor
  ASSERT_TRUE(open(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto checkpoint = open(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_FALSE(checkpoint) << size << " bytes";
  }
}

TEST_F(Gguf, RefusesCountsThatTheFileCannotHold) {
  Bytes file = GgufBuilder().set("a", "b").build();
  for (const std::size_t at : {std::size_t{8}, std::size_t{16}}) {  // the number of tensors, of key-values
    Bytes lying = file;
    lying[at + 6] = std::byte{1};
    expectRefused(lying, "hold at most");
  }
  Bytes array;
  GgufBuilder::append(array, std::uint32_t{8});
  GgufBuilder::append(array, ~std::uint64_t{0});
  expectRefused(GgufBuilder().setRaw("list", 9, array).build(),
                "key list: the length of an array is 1844674407370955");
}

TEST_F(Gguf, RefusesDeepArraysAndUnknownTypes) {
  Bytes nested;
  for (int i = 0; i < 8; ++i) {
    GgufBuilder::append(nested, std::uint32_t{9});
    GgufBuilder::append(nested, std::uint64_t{1});
  }
  expectRefused(GgufBuilder().setRaw("deep", 9, nested).build(), "key deep: arrays are nested more than");
  expectRefused(GgufBuilder().setRaw("odd", 13, {}).build(), "key odd: value type 13");
  const Bytes two(1, std::byte{2});
  expectRefused(GgufBuilder().setRaw("flag", 7, two).build(), "key flag: a truth value is 2");
}

TEST_F(Gguf, RefusesNamesThatComeTwiceAndUnprintableOnes) {
  expectRefused(GgufBuilder().set("a", true).set("a", true).build(), "key a appears twice");
  GgufBuilder twice;
  twice.tensor("w", DType::kF32, {4}, kFourFloats).tensor("w", DType::kF32, {4}, kFourFloats);
  expectRefused(twice.build(), "tensor w appears twice");
  expectRefused(GgufBuilder().set("a\nb", true).build(), "not printable");
  expectRefused(GgufBuilder().set("a\xff", true).build(), "not printable");
  expectRefused(GgufBuilder().set("", true).set("b", "longer").build(), "a name is empty");
  expectRefused(GgufBuilder().set(std::string(2000, 'a'), true).build(), "a name of 2000 bytes");
}

TEST_F(Gguf, NamesTensorTypesThatItDoesNotRead) {
  expectRefused(GgufBuilder().tensorOfType("w", 16, {256}, Bytes(66)).build(),
                "tensor w has type IQ2_XXS (16)", ErrorCode::kUnsupported);
  expectRefused(GgufBuilder().tensorOfType("w", 777, {256}, {}).build(), "tensor w has type unknown (777)",
                ErrorCode::kUnsupported);
}

TEST_F(Gguf, RefusesShapesThatLie) {
  expectRefused(GgufBuilder().tensor("w", DType::kF32, {1, 1, 1, 1, 4}, kFourFloats).build(), "5 dimensions");
  expectRefused(GgufBuilder().tensor("w", DType::kF32, {9}, kFourFloats).build(),
                "tensor w lies at 0 with 36 bytes");
  expectRefused(GgufBuilder().tensor("w", DType::kF32, {1ull << 40, 1ull << 40}, kFourFloats).build(),
                "more elements than 64 bits");
  expectRefused(GgufBuilder().tensor("w", DType::kF32, {1ull << 62}, kFourFloats).build(), "tensor w");
  expectRefused(GgufBuilder().tensor("w", DType::kQ4_K, {2, 128}, Bytes(144)).build(),
                "not whole blocks of 256");
}

TEST_F(Gguf, RefusesOffsetsThatOverlapOrStray) {
  const Bytes file = GgufBuilder()
                         .tensor("a", DType::kF32, {4}, kFourFloats)
                         .tensor("b", DType::kF32, {4}, kFourFloats)
                         .build();
  const std::size_t offset_of_b = 24 + 2 * (8 + 1 + 4 + 8 + 4 + 8) - 8;
  const auto withOffset = [&](std::uint64_t offset) {
    Bytes changed = file;
    std::memcpy(changed.data() + offset_of_b, &offset, sizeof offset);
    return changed;
  };
  ASSERT_TRUE(open(withOffset(32)));
  expectRefused(withOffset(0), "overlaps another tensor");
  expectRefused(withOffset(8), "no multiple of the alignment");
  expectRefused(withOffset(64), "tensor b lies at 64");
  expectRefused(withOffset(~std::uint64_t{31}), "tensor b lies at");
}

TEST_F(Gguf, JoinsTheFilesOfASplitModel) {
  const auto part = [](std::uint16_t number, std::string_view tensor) {
    GgufBuilder builder;
    builder.set("split.count", std::uint16_t{2}).set("split.no", number);
    if (number == 0) builder.set("general.name", "split");
    return builder.tensor(tensor, DType::kF32, {4}, kFourFloats).build();
  };
  test::writeFile(folder_ / "m-00002-of-00002.gguf", part(1, "b"));
  EXPECT_THAT(Checkpoint::open(folder_ / "m-00002-of-00002.gguf").error().describe(),
              HasSubstr("m-00001-of-00002.gguf is missing"));
  test::writeFile(folder_ / "m-00001-of-00002.gguf", part(0, "a"));
  for (const char* name : {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf", ""}) {
    const auto checkpoint = Checkpoint::open(folder_ / name);
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    EXPECT_EQ((*checkpoint)->tensors().size(), 2u);
    EXPECT_EQ((*checkpoint)->displayName(), "split");
  }
  test::writeFile(folder_ / "m-00002-of-00002.gguf", part(0, "b"));
  EXPECT_THAT(Checkpoint::open(folder_ / "m-00001-of-00002.gguf").error().describe(),
              HasSubstr("not part 2 of 2"));
  expectRefused(part(0, "a"), "its name does not end in -of-00002.gguf");
}

}  // namespace
}  // namespace vitrine::core
