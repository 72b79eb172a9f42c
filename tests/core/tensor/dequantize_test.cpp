#include "core/tensor/dequantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
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

std::vector<float> expanded(DType type, const std::vector<std::uint8_t>& bytes) {
  std::vector<float> out(bytes.size() / info(type).block_bytes * info(type).block_size);
  EXPECT_TRUE(dequantize(type, std::as_bytes(std::span(bytes)), out));
  return out;
}

TEST(Float8, HasTheValuesOfItsDefinition) {
  EXPECT_EQ(expanded(DType::kF8_E4M3, {0x00, 0x01, 0x07, 0x08, 0x38, 0x3C, 0xC0, 0x7E, 0xFE}),
            (std::vector<float>{0, 0x1p-9f, 0x7p-9f, 0x1p-6f, 1, 1.5f, -2, 448, -448}));
  EXPECT_EQ(expanded(DType::kF8_E5M2, {0x00, 0x01, 0x04, 0x3C, 0x3E, 0xC0, 0x7B, 0xFB}),
            (std::vector<float>{0, 0x1p-16f, 0x1p-14f, 1, 1.5f, -2, 57344, -57344}));
  EXPECT_TRUE(std::signbit(e4m3ToFloat(0x80)) && std::signbit(e5m2ToFloat(0x80)));
  EXPECT_TRUE(std::isinf(e5m2ToFloat(0x7C)) && std::isnan(e5m2ToFloat(0x7D)) &&
              std::isnan(e4m3ToFloat(0x7F)));
  const auto byDefinition = [](int bits, int fraction_bits, int bias) {
    const int exponent = (bits & 127) >> fraction_bits, fraction = bits & ((1 << fraction_bits) - 1);
    const double lead = exponent == 0 ? 0 : 1;
    const double value =
        (lead + std::ldexp(fraction, -fraction_bits)) * std::pow(2.0, std::max(exponent, 1) - bias);
    return bits & 128 ? -value : value;
  };
  for (int bits = 0; bits < 256; ++bits) {
    const auto byte = static_cast<std::uint8_t>(bits);
    if ((bits & 124) != 124) {
      EXPECT_EQ(e5m2ToFloat(byte), byDefinition(bits, 2, 15)) << bits;
    }
    if ((bits & 127) == 127) continue;
    EXPECT_EQ(e4m3ToFloat(byte), byDefinition(bits, 3, 7)) << bits;
    // Both are kept as halves, without loss.
    EXPECT_EQ(halfToFloat(floatToHalf(e4m3ToFloat(byte))), e4m3ToFloat(byte));
  }
}

TEST(Mxfp4, HasTheValuesOfItsDefinition) {
  std::vector<std::uint8_t> block{127};  // 2^0
  for (int i = 0; i < 16; ++i) block.push_back(static_cast<std::uint8_t>(i | (15 - i) << 4));
  const std::vector<float> book{0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0f, -0.5, -1, -1.5, -2, -3, -4, -6};
  std::vector<float> expected = book;
  expected.insert(expected.end(), book.rbegin(), book.rend());
  EXPECT_EQ(expanded(DType::kMXFP4, block), expected);
  std::mt19937 random(4);
  for (int exponent = 0; exponent <= 252; ++exponent) {  // beyond, 6 times the scale is infinite

    block[0] = static_cast<std::uint8_t>(exponent);
    for (int i = 1; i <= 16; ++i) block[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(random());
    const std::vector<float> values = expanded(DType::kMXFP4, block);
    for (std::size_t i = 0; i < 32; ++i) {
      const int code = i < 16 ? block[1 + i] & 15 : block[i - 15] >> 4;
      const int e = code >> 1 & 3, m = code & 1;
      const double magnitude = e == 0 ? 0.5 * m : (1 + 0.5 * m) * std::pow(2.0, e - 1);
      ASSERT_EQ(values[i], (code & 8 ? -1 : 1) * magnitude * std::pow(2.0, exponent - 127)) << exponent;
    }
  }
}

TEST(DTypes, NamesNumbersAndSizesAgree) {
  EXPECT_EQ(dtypeFromGgml(0), DType::kF32);
  EXPECT_EQ(dtypeFromGgml(12), DType::kQ4_K);
  EXPECT_EQ(dtypeFromGgml(30), DType::kBF16);
  EXPECT_EQ(dtypeFromGgml(4), std::nullopt);   // withdrawn by ggml
  EXPECT_EQ(dtypeFromGgml(16), std::nullopt);  // IQ2_XXS: known by name, not read
  EXPECT_EQ(ggmlTypeName(16), "IQ2_XXS");
  EXPECT_EQ(dtypeFromGgml(39), DType::kMXFP4);
  EXPECT_EQ(dtypeFromName("F8_E4M3"), DType::kF8_E4M3);
  EXPECT_EQ(dtypeFromGgml(0xffffffff), std::nullopt);
  EXPECT_EQ(dtypeFromName(""), std::nullopt);
  EXPECT_EQ(rowBytes(DType::kQ6_K, 512), 420u);
  EXPECT_EQ(rowBytes(DType::kBool, 3), 3u);
}

}  // namespace
}  // namespace vitrine::core
