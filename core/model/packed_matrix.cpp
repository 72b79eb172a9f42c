#include "core/model/packed_matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/tensor/dequantize.h"

namespace vitrine::core {
namespace {

constexpr int kBlock = 32;   // elements of a block, and of a chunk of 4- to 6-bit weights
constexpr int kSuper = 256;  // elements of a super-block

using Quants = std::array<std::uint8_t, kBlock>;

WeightFormat formatOf(DType type) {
  switch (type) {
    case DType::kF16:
    case DType::kF8_E4M3:
    case DType::kF8_E5M2:
      return WeightFormat::kF16;
    case DType::kBF16:
      return WeightFormat::kBF16;
    case DType::kQ8_0:
    case DType::kIQ4_NL:
    case DType::kIQ4_XS:
    case DType::kMXFP4:
      return WeightFormat::kQ8;
    case DType::kQ4_0:
    case DType::kQ4_1:
      return WeightFormat::kQ4;
    case DType::kQ5_0:
    case DType::kQ5_1:
      return WeightFormat::kQ5;
    case DType::kQ4_K:
      return WeightFormat::kQ4_K;
    case DType::kQ5_K:
      return WeightFormat::kQ5_K;
    case DType::kQ3_K:
    case DType::kQ6_K:
      return WeightFormat::kQ6_K;
    default:
      return WeightFormat::kF32;
  }
}

std::uint32_t chunkElements(WeightFormat format) {
  switch (format) {
    case WeightFormat::kF32:
      return 4;
    case WeightFormat::kF16:
    case WeightFormat::kBF16:
      return 8;
    case WeightFormat::kQ8:
      return 16;
    default:
      return 32;
  }
}

std::uint16_t half(const std::byte* at) {
  std::uint16_t bits;
  std::memcpy(&bits, at, 2);
  return bits;
}

std::uint8_t byteAt(const std::byte* at) {
  return std::to_integer<std::uint8_t>(*at);
}

Result<void> finite(std::uint16_t bits) {
  if ((bits & 0x7c00) == 0x7c00)
    return fail(ErrorCode::kInvalidFile,
                "a block's scale is {}, expected a finite number: the file is damaged",
                (bits & 0x3ff) ? "NaN" : "infinite");
  return {};
}

// The nibbles of 32 elements: byte e holds element e below and element e + 16 above.
void putNibbles(const Quants& q, std::byte* low) {
  for (int e = 0; e < 16; ++e) low[e] = std::byte((q[e] & 15) | ((q[e + 16] & 15) << 4));
}

void putFifthBits(const Quants& q, std::byte* high) {
  std::uint32_t bits = 0;
  for (int e = 0; e < kBlock; ++e) bits |= std::uint32_t((q[e] >> 4) & 1) << e;
  std::memcpy(high, &bits, 4);
}

void putTopTwoBits(const Quants& q, std::byte* high) {
  std::uint64_t bits = 0;
  for (int e = 0; e < kBlock; ++e) bits |= std::uint64_t((q[e] >> 4) & 3) << (2 * e);
  std::memcpy(high, &bits, 8);
}

void putPair(std::uint16_t first, std::uint16_t second, std::byte* at) {
  std::memcpy(at, &first, 2);
  std::memcpy(at + 2, &second, 2);
}

Result<std::uint16_t> negativeMultiple(std::uint16_t scale, float factor) {
  std::uint16_t bits = floatToHalf(-factor * halfToFloat(scale));
  TRY(finite(bits));
  return bits;
}

// Q4_0 and Q5_0 store d * (q - zero): the same as d * q + minimum with minimum = -zero * d, exact in a half.
Result<void> packBlock32(DType type, const std::byte* block, PackedRow out, std::size_t index) {
  bool has_minimum = type == DType::kQ4_1 || type == DType::kQ5_1;
  bool five_bits = type == DType::kQ5_0 || type == DType::kQ5_1;
  std::uint16_t scale = half(block), minimum = 0;
  TRY(finite(scale));
  if (has_minimum) {
    minimum = half(block + 2);
    TRY(finite(minimum));
  } else {
    TRY_ASSIGN(minimum, negativeMultiple(scale, five_bits ? 16.0f : 8.0f));
  }
  putPair(scale, minimum, out.scale.data() + 4 * index);
  const std::byte* rest = block + (has_minimum ? 4 : 2);
  if (five_bits) {
    std::memcpy(out.high.data() + 4 * index, rest, 4);
    rest += 4;
  }
  std::memcpy(out.low.data() + 16 * index, rest, 16);
  return {};
}

Result<void> packQ8(const std::byte* block, PackedRow out, std::size_t index) {
  TRY(finite(half(block)));
  float scale = halfToFloat(half(block));
  std::memcpy(out.scale.data() + 4 * index, &scale, 4);
  std::memcpy(out.low.data() + 32 * index, block + 2, 32);
  return {};
}

// The eight 6-bit scales and minima of a Q4_K or Q5_K super-block.
void scalesOfK(const std::byte* packed, int block, std::uint8_t& scale, std::uint8_t& minimum) {
  auto at = [&](int i) { return byteAt(packed + i); };
  if (block < 4) {
    scale = at(block) & 63;
    minimum = at(block + 4) & 63;
  } else {
    scale = (at(block + 4) & 15) | ((at(block - 4) >> 6) << 4);
    minimum = (at(block + 4) >> 4) | ((at(block) >> 6) << 4);
  }
}

Result<void> packQ4K(DType type, const std::byte* super, PackedRow out, std::size_t index) {
  bool five_bits = type == DType::kQ5_K;
  const std::byte* scales = super + 4;
  const std::byte* high = super + 16;
  const std::byte* nibbles = super + (five_bits ? 48 : 16);
  TRY(finite(half(super)));
  TRY(finite(half(super + 2)));
  std::byte* scale_out = out.scale.data() + 20 * index;
  std::memcpy(scale_out, super, 4);
  for (int block = 0; block < 8; ++block) {
    std::uint8_t scale, minimum;
    scalesOfK(scales, block, scale, minimum);
    scale_out[4 + 2 * block] = std::byte(scale);
    scale_out[5 + 2 * block] = std::byte(minimum);
    Quants q;
    for (int e = 0; e < kBlock; ++e) {
      std::uint8_t pair = byteAt(nibbles + 32 * (block / 2) + e);
      q[e] = block % 2 ? pair >> 4 : pair & 15;
      if (five_bits) q[e] |= ((byteAt(high + e) >> block) & 1) << 4;
    }
    putNibbles(q, out.low.data() + 16 * (8 * index + block));
    if (five_bits) putFifthBits(q, out.high.data() + 4 * (8 * index + block));
  }
  return {};
}

// `quant(e)`: 0 .. 63 for element e of the super-block; `scale(s)`: of its s-th 16 elements.
template <typename Quant, typename Scale>
Result<void> packSixBits(std::uint16_t d, Quant quant, Scale scale, PackedRow out, std::size_t index) {
  TRY(finite(d));
  std::byte* scale_out = out.scale.data() + 20 * index;
  putPair(d, 0, scale_out);
  for (int s = 0; s < 16; ++s) scale_out[4 + s] = std::byte(static_cast<std::uint8_t>(scale(s)));
  for (int block = 0; block < 8; ++block) {
    Quants q;
    for (int e = 0; e < kBlock; ++e) q[e] = quant(32 * block + e);
    putNibbles(q, out.low.data() + 16 * (8 * index + block));
    putTopTwoBits(q, out.high.data() + 8 * (8 * index + block));
  }
  return {};
}

Result<void> packQ6K(const std::byte* super, PackedRow out, std::size_t index) {
  auto quant = [&](int e) -> std::uint8_t {
    int half_index = e / 128, l = e % 32, quarter = e % 128 / 32;
    std::uint8_t low = byteAt(super + 64 * half_index + l + 32 * (quarter % 2));
    std::uint8_t high = byteAt(super + 128 + 32 * half_index + l);
    return (quarter < 2 ? low & 15 : low >> 4) | (((high >> (2 * quarter)) & 3) << 4);
  };
  auto scale = [&](int s) { return byteAt(super + 192 + s); };
  return packSixBits(half(super + 208), quant, scale, out, index);
}

// Q3_K in Q6_K's planes: d * scale * (q - 4) = d * scale * ((q + 28) - 32).
Result<void> packQ3K(const std::byte* super, PackedRow out, std::size_t index) {
  const std::byte* high = super;
  const std::byte* low = super + 32;
  const std::byte* scales = super + 96;
  auto quant = [&](int e) -> std::uint8_t {
    int half_index = e / 128, l = e % 32, quarter = e % 128 / 32;
    std::uint8_t two = (byteAt(low + 32 * half_index + l) >> (2 * quarter)) & 3;
    std::uint8_t third = (byteAt(high + l) >> (4 * half_index + quarter)) & 1;
    return two + 4 * third + 28;
  };
  auto scale = [&](int s) -> std::int8_t {
    std::uint8_t low_bits = s < 8 ? byteAt(scales + s) & 15 : byteAt(scales + s - 8) >> 4;
    std::uint8_t high_bits = (byteAt(scales + 8 + s % 4) >> (2 * (s / 4))) & 3;
    return static_cast<std::int8_t>((low_bits | (high_bits << 4)) - 32);
  };
  return packSixBits(half(super + 108), quant, scale, out, index);
}

// ggml's non-linear 4-bit code book, as int8.
constexpr std::int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                        1,    13,   25,  38,  53,  69,  89,  113};

// Twice the values of E2M1.
constexpr std::int8_t kE2M1Twice[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

void putCodes(const std::int8_t (&book)[16], const std::byte* nibbles, float scale, PackedRow out,
              std::size_t block) {
  std::memcpy(out.scale.data() + 4 * block, &scale, 4);
  std::byte* low = out.low.data() + 32 * block;
  for (int e = 0; e < 16; ++e) {
    low[e] = std::byte(static_cast<std::uint8_t>(book[byteAt(nibbles + e) & 15]));
    low[e + 16] = std::byte(static_cast<std::uint8_t>(book[byteAt(nibbles + e) >> 4]));
  }
}

Result<void> packIq4(DType type, const std::byte* block, PackedRow out, std::size_t index) {
  TRY(finite(half(block)));
  float d = halfToFloat(half(block));
  if (type == DType::kIQ4_NL) {
    putCodes(kIq4Values, block + 2, d, out, index);
    return {};
  }
  std::uint16_t high = half(block + 2);
  for (int b = 0; b < 8; ++b) {
    int low_bits = (byteAt(block + 4 + b / 2) >> (4 * (b % 2))) & 15;
    int scale = (low_bits | (((high >> (2 * b)) & 3) << 4)) - 32;
    putCodes(kIq4Values, block + 8 + 16 * b, d * static_cast<float>(scale), out, 8 * index + b);
  }
  return {};
}

Result<void> packMxfp4(const std::byte* block, PackedRow out, std::size_t index) {
  constexpr std::uint8_t kLargest = 252;  // beyond, 6 times the scale is infinite; 255 is NaN
  if (byteAt(block) > kLargest)
    return fail(ErrorCode::kInvalidFile,
                "a block's scale has the exponent {}, expected at most {}: the file is damaged",
                byteAt(block), kLargest);
  putCodes(kE2M1Twice, block + 1, std::ldexp(1.0f, byteAt(block) - 128), out, index);
  return {};
}

Result<void> packPlain(DType type, std::span<const std::byte> row, const PackedLayout& layout,
                       PackedRow out) {
  std::memset(out.low.data(), 0, out.low.size());
  const bool as_stored = type == DType::kF32 || type == DType::kF16 || type == DType::kBF16;
  if (as_stored) {
    std::memcpy(out.low.data(), row.data(), row.size());
    return {};
  }
  std::vector<float> values(layout.columns);
  TRY(dequantize(type, row, values));
  if (layout.format == WeightFormat::kF16) {
    std::vector<std::uint16_t> halves(values.size());
    std::transform(values.begin(), values.end(), halves.begin(), floatToHalf);
    std::memcpy(out.low.data(), halves.data(), halves.size() * sizeof(halves[0]));
    return {};
  }
  std::memcpy(out.low.data(), values.data(), values.size() * sizeof(float));
  return {};
}

}  // namespace

bool isExpanded(DType type) {
  return type == DType::kQ2_K || type == DType::kQ3_K || type == DType::kIQ4_NL || type == DType::kIQ4_XS ||
         type == DType::kF64 || type == DType::kMXFP4 || type == DType::kF8_E4M3 || type == DType::kF8_E5M2;
}

Result<PackedLayout> packedLayout(DType type, std::uint64_t rows, std::uint64_t columns) {
  const DTypeInfo& stored = info(type);
  if (!stored.floating)
    return fail(ErrorCode::kUnsupported, "weights of type {} cannot be multiplied", stored.name);
  if (rows == 0 || columns == 0 || columns % stored.block_size != 0)
    return fail(ErrorCode::kInvalidFile, "a {} matrix needs columns in multiples of {}, found {} x {}",
                stored.name, stored.block_size, rows, columns);
  PackedLayout layout{.format = formatOf(type), .rows = rows, .columns = columns};
  std::uint32_t chunk = chunkElements(layout.format);
  std::uint64_t chunks = (columns + chunk - 1) / chunk;
  if (chunks * rows >= (1ull << 32))
    return fail(ErrorCode::kUnsupported, "a matrix of {} x {} is too large to be addressed", rows, columns);
  layout.chunks_per_row = static_cast<std::uint32_t>(chunks);
  layout.low_row = 16 * layout.chunks_per_row;
  auto blocks = static_cast<std::uint32_t>(columns / kBlock);
  switch (layout.format) {
    case WeightFormat::kQ8:
    case WeightFormat::kQ4:
      layout.scale_row = 4 * blocks;
      break;
    case WeightFormat::kQ5:
      layout.scale_row = 4 * blocks;
      layout.high_row = 4 * blocks;
      break;
    case WeightFormat::kQ4_K:
    case WeightFormat::kQ5_K:
    case WeightFormat::kQ6_K:
      layout.scale_row = static_cast<std::uint32_t>(20 * (columns / kSuper));
      layout.high_row =
          layout.format == WeightFormat::kQ4_K ? 0 : (layout.format == WeightFormat::kQ5_K ? 4 : 8) * blocks;
      break;
    default:
      break;
  }
  return layout;
}

Result<void> packRow(DType type, std::span<const std::byte> row, const PackedLayout& layout, PackedRow out) {
  VITRINE_ASSERT(row.size() == rowBytes(type, layout.columns) && out.low.size() == layout.low_row &&
                 out.high.size() == layout.high_row && out.scale.size() == layout.scale_row);
  if (layout.format <= WeightFormat::kBF16) return packPlain(type, row, layout, out);
  const DTypeInfo& stored = info(type);
  for (std::size_t index = 0; index * stored.block_size < layout.columns; ++index) {
    const std::byte* block = row.data() + index * stored.block_bytes;
    switch (type) {
      case DType::kQ8_0:
        TRY(packQ8(block, out, index));
        break;
      case DType::kQ4_0:
      case DType::kQ4_1:
      case DType::kQ5_0:
      case DType::kQ5_1:
        TRY(packBlock32(type, block, out, index));
        break;
      case DType::kQ4_K:
      case DType::kQ5_K:
        TRY(packQ4K(type, block, out, index));
        break;
      case DType::kQ6_K:
        TRY(packQ6K(block, out, index));
        break;
      case DType::kQ3_K:
        TRY(packQ3K(block, out, index));
        break;
      case DType::kMXFP4:
        TRY(packMxfp4(block, out, index));
        break;
      default:
        TRY(packIq4(type, block, out, index));
        break;
    }
  }
  return {};
}

}  // namespace vitrine::core
