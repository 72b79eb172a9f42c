#include "support/tensor_bytes.h"

namespace vitrine::test {

Bytes pickRows(std::span<const std::byte> bytes, std::size_t rows, const std::vector<std::size_t>& order) {
  const std::size_t row = bytes.size() / rows;
  Bytes out;
  for (const std::size_t from : order) GgufBuilder::appendBytes(out, bytes.subspan(from * row, row));
  return out;
}

std::vector<std::size_t> runs(std::size_t first, std::size_t run, std::size_t stride, std::size_t count) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < run; ++j) rows.push_back(first + i * stride + j);
  return rows;
}

Bytes transposedBytes(std::span<const std::byte> bytes, std::size_t count, std::size_t rows,
                      std::size_t columns) {
  Bytes out(bytes.size());
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < columns; ++c)
        std::memcpy(&out[((i * columns + c) * rows + r) * sizeof(float)],
                    &bytes[((i * rows + r) * columns + c) * sizeof(float)], sizeof(float));
  return out;
}

}  // namespace vitrine::test
