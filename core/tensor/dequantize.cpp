// The block formats are ggml's (ggml-common.h); the arithmetic keeps ggml's order of operations in float32,
// so that every value has the same bits as there.
#include "core/tensor/dequantize.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace vitrine::core {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensor files are little endian and are mapped as they are");

using Block = const std::uint8_t*;

template <typename T>
T load(Block at) {
  T value;
  std::memcpy(&value, at, sizeof value);  // blocks may lie at odd addresses
  return value;
}

float loadHalf(Block at) {
  return halfToFloat(load<std::uint16_t>(at));
}
int loadSigned(Block at) {
  return load<std::int8_t>(at);
}

void expandF32(Block in, float* out) {
  *out = load<float>(in);
}
void expandF16(Block in, float* out) {
  *out = loadHalf(in);
}
void expandBF16(Block in, float* out) {
  *out = bfloat16ToFloat(load<std::uint16_t>(in));
}
void expandF64(Block in, float* out) {
  *out = static_cast<float>(load<double>(in));
}

void expandE4M3(Block in, float* out) {
  *out = e4m3ToFloat(*in);
}
void expandE5M2(Block in, float* out) {
  *out = e5m2ToFloat(*in);
}

// {f16 d; int8 q[32]}
void expandQ8_0(Block in, float* out) {
  const float d = loadHalf(in);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(loadSigned(in + 2 + i)) * d;
}

// {f16 d; nibbles[16]}: low nibbles are elements 0..15, high nibbles 16..31
void expandQ4_0(Block in, float* out) {
  const float d = loadHalf(in);
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<float>((in[2 + i] & 15) - 8) * d;
    out[i + 16] = static_cast<float>((in[2 + i] >> 4) - 8) * d;
  }
}

// {f16 d, m; nibbles[16]}
void expandQ4_1(Block in, float* out) {
  const float d = loadHalf(in), m = loadHalf(in + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(in[4 + i] & 15) * d + m;
    out[i + 16] = static_cast<float>(in[4 + i] >> 4) * d + m;
  }
}

// The 5-bit value of element i: nibbles as in Q4, bit i of `high` is its fifth bit.
int fiveBits(Block nibbles, std::uint32_t high, int i) {
  const int low = i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
  return low | static_cast<int>((high >> i) & 1) << 4;
}

// {f16 d; u32 fifth bits; nibbles[16]}
void expandQ5_0(Block in, float* out) {
  const float d = loadHalf(in);
  const auto high = load<std::uint32_t>(in + 2);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(fiveBits(in + 6, high, i) - 16) * d;
}

// {f16 d, m; u32 fifth bits; nibbles[16]}
void expandQ5_1(Block in, float* out) {
  const float d = loadHalf(in), m = loadHalf(in + 2);
  const auto high = load<std::uint32_t>(in + 4);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(fiveBits(in + 8, high, i)) * d + m;
}

// Super-blocks of 256 are read in runs of 16 or 32 elements that share a scale. A run's elements lie in
// consecutive bytes, all at the same bits of them.
struct Run {
  Block bytes;
  int shift;
  int operator[](int k) const { return bytes[k] >> shift; }
};
// The run that begins at element i. 2 bits: each 32 bytes hold 128 elements, 2 bits a group of 32.
Run twoBits(Block bytes, int i) {
  return {bytes + i / 128 * 32 + i % 32, i % 128 / 32 * 2};
}
// 4 bits: each 32 bytes hold 64 elements, low nibbles first.
Run fourBits(Block bytes, int i) {
  return {bytes + i / 64 * 32 + i % 32, i % 64 / 32 * 4};
}
// 1 bit: byte k holds elements k, k + 32, k + 64 ..
Run oneBit(Block bytes, int i) {
  return {bytes + i % 32, i / 32};
}

// {u8 scales[16] (low nibble scale, high nibble minimum); 2 bits[64 bytes]; f16 d, dmin}
void expandQ2_K(Block in, float* out) {
  const float d = loadHalf(in + 80), dmin = loadHalf(in + 82);
  for (int i = 0; i < 256; i += 16) {
    const Run q = twoBits(in + 16, i);
    const int scale = in[i / 16];
    const float dl = d * static_cast<float>(scale & 15), ml = dmin * static_cast<float>(scale >> 4);
    for (int k = 0; k < 16; ++k) out[i + k] = dl * static_cast<float>(q[k] & 3) - ml;
  }
}

// 6-bit scale j of 16: 4 low bits in bytes 0..7 (two a byte), 2 high bits in bytes 8..11.
int scaleQ3_K(Block scales, int j) {
  const int low = j < 8 ? scales[j] & 15 : scales[j - 8] >> 4;
  const int high = scales[8 + j % 4] >> (j / 4 * 2) & 3;
  return (low | high << 4) - 32;
}

// {third bits[32 bytes]; 2 bits[64 bytes]; scales[12]; f16 d}; a clear third bit subtracts 4
void expandQ3_K(Block in, float* out) {
  const float d = loadHalf(in + 108);
  for (int i = 0; i < 256; i += 16) {
    const Run q = twoBits(in + 32, i), third = oneBit(in, i);
    const float dl = d * static_cast<float>(scaleQ3_K(in + 96, i / 16));
    for (int k = 0; k < 16; ++k) out[i + k] = dl * static_cast<float>((q[k] & 3) - (~third[k] & 1) * 4);
  }
}

struct ScaleMin {
  float scale, minimum;
};

// 6-bit scale and minimum j of 8, packed in 12 bytes: the first four of each in the low 6 bits of bytes 0..7,
// the last four in the nibbles of bytes 8..11 and the top 2 bits of bytes 0..7.
ScaleMin scaleMinK4(Block q, int j) {
  const int scale = j < 4 ? q[j] & 63 : (q[j + 4] & 15) | q[j - 4] >> 6 << 4;
  const int minimum = j < 4 ? q[j + 4] & 63 : q[j + 4] >> 4 | q[j] >> 6 << 4;
  return {static_cast<float>(scale), static_cast<float>(minimum)};
}

// {f16 d, dmin; scales and minima[12]; nibbles[128]}
void expandQ4_K(Block in, float* out) {
  const float d = loadHalf(in), dmin = loadHalf(in + 2);
  for (int i = 0; i < 256; i += 32) {
    const Run q = fourBits(in + 16, i);
    const ScaleMin s = scaleMinK4(in + 4, i / 32);
    const float dl = d * s.scale, ml = dmin * s.minimum;
    for (int k = 0; k < 32; ++k) out[i + k] = dl * static_cast<float>(q[k] & 15) - ml;
  }
}

// {f16 d, dmin; scales and minima[12]; fifth bits[32 bytes]; nibbles[128]}
void expandQ5_K(Block in, float* out) {
  const float d = loadHalf(in), dmin = loadHalf(in + 2);
  for (int i = 0; i < 256; i += 32) {
    const Run low = fourBits(in + 48, i), fifth = oneBit(in + 16, i);
    const ScaleMin s = scaleMinK4(in + 4, i / 32);
    const float dl = d * s.scale, ml = dmin * s.minimum;
    for (int k = 0; k < 32; ++k)
      out[i + k] = dl * static_cast<float>((low[k] & 15) | (fifth[k] & 1) << 4) - ml;
  }
}

// {low 4 bits[128 bytes]; high 2 bits[64 bytes]; int8 scales[16]; f16 d}
void expandQ6_K(Block in, float* out) {
  const float d = loadHalf(in + 208);
  for (int i = 0; i < 256; i += 16) {
    const Run low = {in + i / 128 * 64 + i % 64, i % 128 / 64 * 4};  // each 64 bytes hold 128 elements
    const Run high = twoBits(in + 128, i);
    const float dl = d * static_cast<float>(loadSigned(in + 192 + i / 16));
    for (int k = 0; k < 16; ++k)
      out[i + k] = dl * static_cast<float>(((low[k] & 15) | (high[k] & 3) << 4) - 32);
  }
}

// The non-linear 4-bit codebook of IQ4_NL and IQ4_XS.
constexpr std::array<float, 16> kIq4Values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                              1,    13,   25,  38,  53,  69,  89,  113};

// {f16 d; nibbles[16]}
void expandIQ4_NL(Block in, float* out) {
  const float d = loadHalf(in);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * kIq4Values[in[2 + i] & 15];
    out[i + 16] = d * kIq4Values[in[2 + i] >> 4];
  }
}

// {f16 d; u16 high 2 bits of 8 scales; low 4 bits of them[4 bytes]; nibbles[128], 16 bytes a group of 32}
void expandIQ4_XS(Block in, float* out) {
  const float d = loadHalf(in);
  const int scales_high = load<std::uint16_t>(in + 2);
  for (int group = 0; group < 8; ++group) {
    const int low = in[4 + group / 2] >> (group % 2 * 4) & 15;
    const int scale = (low | (scales_high >> (2 * group) & 3) << 4) - 32;
    const float dl = d * static_cast<float>(scale);
    for (int i = 0; i < 16; ++i) {
      const int pair = in[8 + group * 16 + i];
      out[group * 32 + i] = dl * kIq4Values[pair & 15];
      out[group * 32 + i + 16] = dl * kIq4Values[pair >> 4];
    }
  }
}

// Twice the values of E2M1, so that they are whole.
constexpr std::array<float, 16> kE2M1Twice = {0, 1, 2, 3, 4, 6, 8, 12, -0.0f, -1, -2, -3, -4, -6, -8, -12};

// {u8 exponent of the power of two, biased by 127; nibbles[16]}
void expandMXFP4(Block in, float* out) {
  const float half_scale = std::ldexp(1.0f, in[0] - 128);
  for (int i = 0; i < 16; ++i) {
    out[i] = half_scale * kE2M1Twice[in[1 + i] & 15];
    out[i + 16] = half_scale * kE2M1Twice[in[1 + i] >> 4];
  }
}

using Expand = void (*)(Block in, float* out);

Expand expander(DType type) {
  switch (type) {
    case DType::kF32:
      return expandF32;
    case DType::kF16:
      return expandF16;
    case DType::kBF16:
      return expandBF16;
    case DType::kF64:
      return expandF64;
    case DType::kQ8_0:
      return expandQ8_0;
    case DType::kQ4_0:
      return expandQ4_0;
    case DType::kQ4_1:
      return expandQ4_1;
    case DType::kQ5_0:
      return expandQ5_0;
    case DType::kQ5_1:
      return expandQ5_1;
    case DType::kQ2_K:
      return expandQ2_K;
    case DType::kQ3_K:
      return expandQ3_K;
    case DType::kQ4_K:
      return expandQ4_K;
    case DType::kQ5_K:
      return expandQ5_K;
    case DType::kQ6_K:
      return expandQ6_K;
    case DType::kIQ4_NL:
      return expandIQ4_NL;
    case DType::kIQ4_XS:
      return expandIQ4_XS;
    case DType::kMXFP4:
      return expandMXFP4;
    case DType::kF8_E4M3:
      return expandE4M3;
    case DType::kF8_E5M2:
      return expandE5M2;
    default:
      return nullptr;
  }
}

}  // namespace

Result<void> dequantize(DType type, std::span<const std::byte> bytes, std::span<float> out) {
  const DTypeInfo& t = info(type);
  const Expand expand = expander(type);
  if (!expand) return fail(ErrorCode::kInvalidArgument, "{} holds integers, which are no weights", t.name);
  const std::size_t blocks = bytes.size() / t.block_bytes;
  if (bytes.size() % t.block_bytes != 0 || out.size() % t.block_size != 0 ||
      out.size() / t.block_size != blocks)
    return fail(ErrorCode::kInvalidArgument, "{}: {} bytes are not {} values ({} bytes hold {})", t.name,
                bytes.size(), out.size(), t.block_bytes, t.block_size);
  if (type == DType::kF32) {
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return {};
  }
  const auto* in = reinterpret_cast<Block>(bytes.data());
  for (std::size_t i = 0; i < blocks; ++i) expand(in + i * t.block_bytes, out.data() + i * t.block_size);
  return {};
}

}  // namespace vitrine::core
