#include "core/tensor/dequantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/shared_files.h"

namespace vitrine::core {
namespace {

struct Golden {
  std::string type;
  std::vector<std::byte> blocks;
  std::vector<float> values;
};

// tests/data/make_quants.py describes the layout.
std::vector<Golden> readGolden() {
  std::ifstream file(test::testData("quants.bin"), std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::size_t at = 0;
  const auto take = [&](void* into, std::size_t count) {
    VITRINE_ASSERT(at + count <= bytes.size());
    std::memcpy(into, bytes.data() + at, count);
    at += count;
  };
  std::vector<Golden> all;
  while (at < bytes.size()) {
    std::uint8_t length = 0;
    std::uint32_t blocks = 0, width = 0, size = 0;
    take(&length, 1);
    Golden& golden = all.emplace_back();
    golden.type.resize(length);
    take(golden.type.data(), length);
    take(&blocks, 4), take(&width, 4), take(&size, 4);
    golden.blocks.resize(std::size_t{blocks} * width);
    golden.values.resize(std::size_t{blocks} * size);
    take(golden.blocks.data(), golden.blocks.size());
    take(golden.values.data(), golden.values.size() * sizeof(float));
  }
  return all;
}

TEST(Dequantize, GivesTheBitsThatGgmlGives) {
  std::set<std::string> seen;
  for (const Golden& golden : readGolden()) {
    const std::optional<DType> type = dtypeFromName(golden.type);
    ASSERT_TRUE(type) << golden.type;
    seen.insert(golden.type);
    // At an odd address: files promise no alignment.
    std::vector<std::byte> shifted(golden.blocks.size() + 1);
    std::memcpy(shifted.data() + 1, golden.blocks.data(), golden.blocks.size());
    std::vector<float> out(golden.values.size());
    const auto done = dequantize(*type, std::span<const std::byte>(shifted).subspan(1), out);
    ASSERT_TRUE(done) << done.error().message;
    for (std::size_t i = 0; i < out.size(); ++i)
      ASSERT_EQ(out[i], golden.values[i]) << golden.type << " element " << i;
  }
  for (int i = 0; i <= static_cast<int>(DType::kIQ4_XS); ++i) {
    const DTypeInfo& t = info(static_cast<DType>(i));
    EXPECT_TRUE(!t.quantized || seen.contains(std::string(t.name))) << t.name << " has no golden vector";
  }
}

TEST(Dequantize, RefusesSizesThatDisagreeAndIntegers) {
  std::vector<std::byte> bytes(36);
  std::vector<float> out(64);
  EXPECT_TRUE(dequantize(DType::kQ4_0, bytes, out));
  EXPECT_FALSE(dequantize(DType::kQ4_0, std::span(bytes).first(35), out));
  EXPECT_FALSE(dequantize(DType::kQ4_0, bytes, std::span(out).first(63)));
  EXPECT_FALSE(dequantize(DType::kQ4_0, bytes, std::span(out).first(32)));
  EXPECT_FALSE(dequantize(DType::kI32, std::span(bytes).first(4), std::span(out).first(1)));
  EXPECT_TRUE(dequantize(DType::kF32, {}, {}));
}

TEST(Half, EveryHalfSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    const auto bits = static_cast<std::uint16_t>(half);
    const float value = halfToFloat(bits);
    const bool nan = (half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0;
    ASSERT_EQ(std::isnan(value), nan) << half;
    ASSERT_EQ(floatToHalf(value), nan ? bits | 0x200 : bits) << half;
    if (nan || std::isinf(value)) continue;
    const int exponent = (half >> 10) & 31;
    const double wanted = std::ldexp((half & 0x3ff) + (exponent ? 1024 : 0), std::max(exponent, 1) - 25);
    ASSERT_EQ(value, (half & 0x8000) ? -wanted : wanted) << half;
  }
}

TEST(Half, RoundsToNearestAndTiesToEven) {
  for (std::uint32_t half = 0; half < 0x7bff; ++half) {  // between every two neighbours
    const double low = halfToFloat(static_cast<std::uint16_t>(half));
    const double high = halfToFloat(static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    ASSERT_EQ(middle, (low + high) / 2) << "the middle is exact in float32";
    ASSERT_EQ(floatToHalf(middle), half % 2 == 0 ? half : half + 1);
    ASSERT_EQ(floatToHalf(std::nextafter(middle, 0.0f)), half);
    ASSERT_EQ(floatToHalf(std::nextafter(middle, 1e9f)), half + 1);
    ASSERT_EQ(floatToHalf(-std::nextafter(middle, 1e9f)), (half + 1) | 0x8000);
  }
}

TEST(Half, OverflowsToInfinityAndUnderflowsToZero) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(floatToHalf(65504.0f), 0x7bff);
  EXPECT_EQ(floatToHalf(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(floatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(floatToHalf(-infinity), 0xfc00);
  EXPECT_EQ(floatToHalf(1e-30f), 0);
  EXPECT_EQ(floatToHalf(-0.0f), 0x8000);
  EXPECT_EQ(floatToHalf(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(std::bit_cast<float>(0x7f800001u)))));
}

TEST(DTypes, NamesNumbersAndSizesAgree) {
  EXPECT_EQ(dtypeFromGgml(0), DType::kF32);
  EXPECT_EQ(dtypeFromGgml(12), DType::kQ4_K);
  EXPECT_EQ(dtypeFromGgml(30), DType::kBF16);
  EXPECT_EQ(dtypeFromGgml(4), std::nullopt);   // withdrawn by ggml
  EXPECT_EQ(dtypeFromGgml(16), std::nullopt);  // IQ2_XXS: known by name, not read
  EXPECT_EQ(ggmlTypeName(16), "IQ2_XXS");
  EXPECT_EQ(ggmlTypeName(39), "MXFP4");
  EXPECT_EQ(dtypeFromGgml(0xffffffff), std::nullopt);
  EXPECT_EQ(dtypeFromName(""), std::nullopt);
  EXPECT_EQ(rowBytes(DType::kQ6_K, 512), 420u);
  EXPECT_EQ(rowBytes(DType::kBool, 3), 3u);
}

}  // namespace
}  // namespace vitrine::core
