// The largest singular values of a matrix, in a few percent of the time that all of them take: what is shown
// of a large matrix until its spectrum is known.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/spectra/dense_matrix.h"
#include "core/spectra/top_k.h"

namespace vitrine::core {

struct SpectrumPreview {
  std::uint64_t rows = 0, columns = 0;
  // (k'), descending: each is no larger than the value that it stands for, and within its residual lies a
  // singular value. A matrix whose rank is below k' has that many; one of zeros has none.
  std::vector<double> sigma, residuals;
  double frobenius = 0;  // exact, summed from the elements

  std::uint64_t all() const { return rows < columns ? rows : columns; }
  // ||A||_F^2 / s1^2 is exact in the norm, and too large by as much as s1 is too small; NaN without values.
  double stableRank() const;
};

struct PreviewOptions {
  // Of the short side. On one core all values of 2048 x 2048 take about a second, and a preview an eighth of
  // that; of 4096 x 4096 ten seconds and a twentieth; below 2048 nobody waits long, and it would cost a
  // fifth.
  std::uint64_t least_side = 2'048;
  TopKOptions top = {.k = 16, .oversampling = 8, .tolerance = 1e-3, .most_blocks = 4};

  bool wanted(std::uint64_t rows, std::uint64_t columns) const {
    return (rows < columns ? rows : columns) >= least_side;
  }
  // In the unit of SpectrumJob::cost(), at most.
  double cost(std::uint64_t rows, std::uint64_t columns) const;
};

// Errors: as lapackSpectrum()'s, which would refuse the same matrix; kCancelled, within a product with it.
Result<SpectrumPreview> previewOf(const DenseMatrix& matrix,
                                  const TopKOptions& options = PreviewOptions().top,
                                  const std::stop_token& stop = {});

}  // namespace vitrine::core
