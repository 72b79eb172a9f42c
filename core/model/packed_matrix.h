// How weights lie on the GPU: a matrix in up to three planes, so that every load is 4 or 16 bytes and
// aligned.
//   low    16 bytes a chunk: 4 F32, 8 F16 or BF16, 16 int8 or 32 low nibbles (byte e holds elements e and e +
//   16) high   bits above the nibbles: 4 bytes (5-bit formats) or 8 bytes (6-bit) a chunk of 32 scale  Q8: a
//   float a block of 32 · Q4, Q5: two halves (scale, minimum) a block of 32
//          K formats: 20 bytes a super-block of 256: two halves (d, dmin), then a byte pair a block of 32:
//          (scale, minimum) in Q4_K and Q5_K, (scale of the first 16, of the second 16) in Q6_K, signed
// Every value is exact: w = scale * q + minimum, with the same operands as the file's own format.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "core/tensor/dtype.h"
#include "gpu/error.h"

namespace vitrine::core {

// The numbers are the WEIGHT constant of shaders/engine/weights.glsl.
enum class WeightFormat : std::uint32_t { kF32, kF16, kBF16, kQ8, kQ4, kQ5, kQ4_K, kQ5_K, kQ6_K };

struct PackedLayout {
  WeightFormat format = WeightFormat::kF32;
  std::uint64_t rows = 0, columns = 0;
  std::uint32_t chunks_per_row = 0;                        // columns rounded up to whole chunks, zeros behind
  std::uint32_t low_row = 0, high_row = 0, scale_row = 0;  // bytes of a row in each plane

  std::uint64_t lowBytes() const { return rows * low_row; }
  std::uint64_t highBytes() const { return rows * high_row; }
  std::uint64_t scaleBytes() const { return rows * scale_row; }
  std::uint64_t bytes() const { return lowBytes() + highBytes() + scaleBytes(); }
};

// How a stored type is kept. Q3_K becomes Q6_K, IQ4_NL, IQ4_XS and MXFP4 become Q8, FP8 becomes F16 (all
// exact), Q2_K and F64 become F32. `columns` must be a multiple of the type's block; otherwise, or for
// integers, kUnsupported.
Result<PackedLayout> packedLayout(DType type, std::uint64_t rows, std::uint64_t columns);
bool isExpanded(DType type);  // takes more memory than in the file: worth a notice

struct PackedRow {
  std::span<std::byte> low, high, scale;
};

// Packs one stored row. kInvalidFile when a scale is NaN or infinite, or out of the packed form's range.
Result<void> packRow(DType type, std::span<const std::byte> row, const PackedLayout& layout, PackedRow out);

}  // namespace vitrine::core
