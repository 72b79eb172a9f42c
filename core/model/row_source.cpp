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
  RowSource source{.type = weight.tensor->dtype, .columns = weight.columns};
  source.rows.reserve(weight.rows);
  for (std::uint64_t r = 0; r < weight.rows; ++r) source.rows.push_back(rowOf(weight, r));
  return source;
}

RowSource interleave(const WeightRef& a, const WeightRef& b) {
  VITRINE_ASSERT(a.rows == b.rows && a.columns == b.columns && a.tensor->dtype == b.tensor->dtype);
  RowSource source{.type = a.tensor->dtype, .columns = a.columns};
  source.rows.reserve(2 * a.rows);
  for (std::uint64_t r = 0; r < a.rows; ++r) {
    source.rows.push_back(rowOf(a, r));
    source.rows.push_back(rowOf(b, r));
  }
  return source;
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

std::span<const std::byte> bytesOf(const StoredRow& row, DType type, std::uint64_t columns,
                                   std::vector<std::byte>& scratch) {
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
