// What converters do to F32 tensors, on their bytes: rows picked and put in another order, matrices turned
// round, each number changed.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "support/gguf_builder.h"

namespace vitrine::test {

// Of a tensor of `rows` rows those of `order`, one below the other.
Bytes pickRows(std::span<const std::byte> bytes, std::size_t rows, const std::vector<std::size_t>& order);

// The numbers of rows: `count` runs of `run` from `first` on, each `stride` behind the one before.
std::vector<std::size_t> runs(std::size_t first, std::size_t run, std::size_t stride, std::size_t count);

// Each of `count` matrices (rows, columns) as (columns, rows).
Bytes transposedBytes(std::span<const std::byte> bytes, std::size_t count, std::size_t rows,
                      std::size_t columns);

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
