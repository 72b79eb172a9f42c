// Rows of a matrix with what adapters add: W + scale * factor * B A, in float32, since halves would round off
// what an adapter changes and the sum of quantized weights has no blocks.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "core/model/row_source.h"

namespace vitrine::core {

class MergedRows {
 public:
  explicit MergedRows(const RowSource& source) : source_(source) {}

  static constexpr DType kType = DType::kF32;
  // Row `index` of the source in kType; valid until the next call.
  Result<std::span<const std::byte>> row(std::size_t index);

 private:
  struct Factors {
    std::vector<float> a, b;  // (rank, columns), (rows of the linear, rank)
    double scale = 0;
  };
  Result<const std::vector<Factors>*> factorsOf(const Linear& linear);

  const RowSource& source_;
  std::map<const Linear*, std::vector<Factors>> factors_;
  std::vector<std::byte> scratch_;
  std::vector<float> values_;
  std::vector<double> sums_;
};

}  // namespace vitrine::core
