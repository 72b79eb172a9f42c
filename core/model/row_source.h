// The rows of one GPU matrix, gathered from stored tensors in the order in which kernels want them.
#pragma once

#include <optional>
#include <vector>

#include "core/model/model_spec.h"

namespace vitrine::core {

struct StoredRow {
  const TensorEntry* tensor = nullptr;
  std::uint64_t row = 0;
  std::optional<std::uint64_t> column = {};  // of a transposed matrix: the row is this column from `row` down
  // Where adapters add to the row: the linear (of the spec, which outlives the source) and its row there.
  const Linear* linear = nullptr;
  std::uint64_t linear_row = 0;
};

struct RowSource {
  DType type = DType::kF32;
  std::uint64_t columns = 0;
  std::vector<StoredRow> rows = {};
};

RowSource rowsOf(const WeightRef& weight);
RowSource rowsOf(const Linear& linear);  // of its weight, with its updates
// Alternates the rows of two matrices of equal shape and type: a 0, b 0, a 1, b 1 ..
RowSource interleave(const WeightRef& a, const WeightRef& b);
RowSource interleave(const Linear& a, const Linear& b);
void append(RowSource& to, const RowSource& rows);
// Puts the two dimensions of each rotary pair side by side: with half pairing (i, i + rotary_dim / 2) the
// rows of every head are reordered to 0, r/2, 1, r/2 + 1 ..; dot products of q and k do not change.
// Interleaved stays.
void pairUp(RowSource& rows, std::uint32_t head_dim, const Rope& rope);

// Where dimension `dim` of a head lies after pairUp.
std::uint32_t pairedIndex(std::uint32_t dim, const Rope& rope);

// The rows' values one after another, as float32 (vectors: norm gains and biases).
Result<std::vector<float>> readFloats(const RowSource& source);
// The row's bytes as stored; those of a transposed or scaled matrix are gathered in `scratch`.
std::span<const std::byte> bytesOf(const StoredRow& row, DType type, std::uint64_t columns,
                                   std::vector<std::byte>& scratch);

}  // namespace vitrine::core
