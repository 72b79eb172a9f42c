#include "core/spectra/dense_matrix.h"

#include <algorithm>
#include <cmath>

namespace vitrine::core {

Result<void> requireFinite(const DenseMatrix& matrix) {
  const auto bad = std::ranges::find_if_not(matrix.values, [](float v) { return std::isfinite(v); });
  if (bad == matrix.values.end()) return {};
  const auto place = static_cast<std::uint64_t>(bad - matrix.values.begin());
  return fail(ErrorCode::kInvalidFile,
              "element ({}, {}) is {}: a matrix with such an element has no singular values",
              place / matrix.columns, place % matrix.columns, *bad);
}

double sumOfSquares(std::span<const float> values) {
  double sum = 0;
  constexpr std::size_t kBlock = 4'096;  // sums of blocks: rounding grows with the blocks, not the elements
  for (std::size_t first = 0; first < values.size(); first += kBlock) {
    double block[4] = {};
    const std::size_t last = std::min(values.size(), first + kBlock);
    for (std::size_t i = first; i < last; ++i) block[i % 4] += double{values[i]} * double{values[i]};
    sum += (block[0] + block[1]) + (block[2] + block[3]);
  }
  return sum;
}

}  // namespace vitrine::core
