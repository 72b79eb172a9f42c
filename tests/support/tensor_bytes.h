// What converters do to F32 tensors, on their bytes: rows picked and put in another order, matrices turned
// round, each number changed.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "support/gguf_builder.h"

namespace vitrine::test {

// Of a tensor of `rows` rows those of `order`, one below the other.
inline Bytes pickRows(std::span<const std::byte> bytes, std::size_t rows,
                      const std::vector<std::size_t>& order) {
  const std::size_t row = bytes.size() / rows;
  Bytes out;
  for (const std::size_t from : order) GgufBuilder::appendBytes(out, bytes.subspan(from * row, row));
  return out;
}

// The numbers of rows: `count` runs of `run` from `first` on, each `stride` behind the one before.
inline std::vector<std::size_t> runs(std::size_t first, std::size_t run, std::size_t stride,
                                     std::size_t count) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < run; ++j) rows.push_back(first + i * stride + j);
  return rows;
}

// Each of `count` matrices (rows, columns) as (columns, rows).
inline Bytes transposedBytes(std::span<const std::byte> bytes, std::size_t count, std::size_t rows,
                             std::size_t columns) {
  Bytes out(bytes.size());
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < columns; ++c)
        std::memcpy(&out[((i * columns + c) * rows + r) * sizeof(float)],
                    &bytes[((i * rows + r) * columns + c) * sizeof(float)], sizeof(float));
  return out;
}

template <typename F>
Bytes mapFloats(std::span<const std::byte> bytes, F f) {
  Bytes out(bytes.begin(), bytes.end());
  for (std::size_t at = 0; at < out.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, &out[at], sizeof value);
    value = f(value);
    std::memcpy(&out[at], &value, sizeof value);
  }
  return out;
}

}  // namespace vitrine::test
