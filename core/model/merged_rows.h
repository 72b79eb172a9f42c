// Rows of a matrix with what adapters add: W + scale * factor * B A. Plain types stay what they are, as PEFT
// merges; quantized weights become float32, since the sum has no blocks.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "core/model/row_source.h"

namespace vitrine::core {

DType mergedType(DType stored);

class MergedRows {
 public:
  explicit MergedRows(const RowSource& source) : source_(source), type_(mergedType(source.type)) {}

  DType type() const { return type_; }
  // Row `index` of the source in type(); valid until the next call.
  Result<std::span<const std::byte>> row(std::size_t index);

 private:
  struct Factors {
    std::vector<float> a, b;  // (rank, columns), (rows of the linear, rank)
    double scale = 0;
  };
  Result<const std::vector<Factors>*> factorsOf(const Linear& linear);

  const RowSource& source_;
  DType type_;
  std::map<const Linear*, std::vector<Factors>> factors_;
  std::vector<std::byte> scratch_, out_;
  std::vector<float> values_;
  std::vector<double> sums_;
};

}  // namespace vitrine::core
