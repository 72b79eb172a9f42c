// A matrix of weights as spectra take it: exactly the numbers that the file means, in float32.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core {

struct DenseMatrix {
  std::uint64_t rows = 0, columns = 0;
  std::vector<float> values;  // (rows, columns), row-major

  std::uint64_t shortSide() const { return rows < columns ? rows : columns; }
};

// kInvalidFile with the place of the first NaN or infinity: no spectrum is computed of a matrix with one.
Result<void> requireFinite(const DenseMatrix& matrix);

// In double precision, from sums of blocks.
double sumOfSquares(std::span<const float> values);

}  // namespace vitrine::core
