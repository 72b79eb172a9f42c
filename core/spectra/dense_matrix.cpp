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

}  // namespace vitrine::core
