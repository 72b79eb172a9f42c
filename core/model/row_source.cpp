#include "core/model/row_source.h"

#include <cstring>

#include "core/tensor/dequantize.h"

namespace vitrine::core {
namespace {

StoredRow rowOf(const WeightRef& weight, std::uint64_t r) {
  if (weight.transposed) return {weight.tensor, weight.first_row, weight.storedColumn(r)};
  return {weight.tensor, weight.storedRow(r)};
}

}  // namespace

RowSource rowsOf(const WeightRef& weight) {
  RowSource source{.type = weight.tensor->valueType(), .columns = weight.columns};
  source.rows.reserve(weight.rows);
  for (std::uint64_t r = 0; r < weight.rows; ++r) source.rows.push_back(rowOf(weight, r));
  return source;
}

RowSource rowsOf(const Linear& linear) {
  RowSource source = rowsOf(linear.weight);
  if (linear.updates.empty()) return source;
  for (std::uint64_t r = 0; r < source.rows.size(); ++r) {
    source.rows[r].linear = &linear;
    source.rows[r].linear_row = r;
  }
  return source;
}

namespace {

RowSource alternated(const RowSource& a, const RowSource& b) {
  VITRINE_ASSERT(a.rows.size() == b.rows.size() && a.columns == b.columns && a.type == b.type);
  RowSource source{.type = a.type, .columns = a.columns};
  source.rows.reserve(2 * a.rows.size());
  for (std::size_t r = 0; r < a.rows.size(); ++r) {
    source.rows.push_back(a.rows[r]);
    source.rows.push_back(b.rows[r]);
  }
  return source;
}

}  // namespace

RowSource interleave(const WeightRef& a, const WeightRef& b) {
  return alternated(rowsOf(a), rowsOf(b));
}

RowSource interleave(const Linear& a, const Linear& b) {
  return alternated(rowsOf(a), rowsOf(b));
}

void append(RowSource& to, const RowSource& rows) {
  VITRINE_ASSERT(to.columns == rows.columns && to.type == rows.type);
  to.rows.insert(to.rows.end(), rows.rows.begin(), rows.rows.end());
}

std::uint32_t pairedIndex(std::uint32_t dim, const Rope& rope) {
  std::uint32_t half = rope.rotary_dim / 2;
  if (rope.pairing == RopePairing::kInterleaved || dim >= rope.rotary_dim) return dim;
  return dim < half ? 2 * dim : 2 * (dim - half) + 1;
}

void pairUp(RowSource& rows, std::uint32_t head_dim, const Rope& rope) {
  VITRINE_ASSERT(rows.rows.size() % head_dim == 0);
  std::vector<StoredRow> paired(rows.rows.size());
  for (std::size_t head = 0; head < rows.rows.size(); head += head_dim)
    for (std::uint32_t dim = 0; dim < head_dim; ++dim)
      paired[head + pairedIndex(dim, rope)] = rows.rows[head + dim];
  rows.rows = std::move(paired);
}

namespace {

// The row of an FP8 matrix, scaled, as float32.
std::span<const std::byte> scaledRow(const StoredRow& row, std::uint64_t columns,
                                     std::vector<std::byte>& scratch) {
  const TensorEntry& tensor = *row.tensor;
  const std::uint64_t stored_columns = tensor.shape.back();
  scratch.resize(columns * sizeof(float));
  float scale = 0;
  for (std::uint64_t c = 0; c < columns; ++c) {
    const std::uint64_t r = row.column ? row.row + c : row.row, stored_c = row.column.value_or(c);
    const auto bits = std::to_integer<std::uint8_t>(tensor.bytes[r * stored_columns + stored_c]);
    const float value = tensor.dtype == DType::kF8_E4M3 ? e4m3ToFloat(bits) : e5m2ToFloat(bits);
    const std::uint64_t within_block =
        row.column ? r % tensor.scales->block_rows : stored_c % tensor.scales->block_columns;
    if (c == 0 || within_block == 0) scale = tensor.scales->at(r, stored_c);
    const float scaled = value * scale;
    std::memcpy(&scratch[c * sizeof(float)], &scaled, sizeof scaled);
  }
  return scratch;
}

}  // namespace

std::span<const std::byte> bytesOf(const StoredRow& row, DType type, std::uint64_t columns,
                                   std::vector<std::byte>& scratch) {
  if (row.tensor->scales) return scaledRow(row, columns, scratch);
  if (!row.column) {
    std::uint64_t bytes = rowBytes(type, columns);
    return row.tensor->bytes.subspan(row.row * bytes, bytes);
  }
  const std::uint64_t element = info(type).block_bytes, stored_columns = row.tensor->shape.back();
  VITRINE_ASSERT(!info(type).quantized);
  scratch.resize(columns * element);
  for (std::uint64_t c = 0; c < columns; ++c)
    std::memcpy(&scratch[c * element],
                &row.tensor->bytes[((row.row + c) * stored_columns + *row.column) * element], element);
  return scratch;
}

Result<std::vector<float>> readFloats(const RowSource& source) {
  std::vector<float> values(source.rows.size() * source.columns);
  std::vector<std::byte> scratch;
  for (std::size_t r = 0; r < source.rows.size(); ++r)
    TRY(dequantize(source.type, bytesOf(source.rows[r], source.type, source.columns, scratch),
                   std::span(values).subspan(r * source.columns, source.columns)));
  return values;
}

}  // namespace vitrine::core
