// Spectra without the bias of a matrix's shape: those of sub-matrices of one aspect ratio, together. FARMS:
// Hu, Goel, Killiakov & Yang, "Eigenspectrum Analysis of Neural Networks without Aspect Ratio Bias",
// arXiv:2506.06280.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/spectra/dense_matrix.h"

namespace vitrine::core {

struct WindowShape {
  std::uint64_t rows = 0, columns = 0;
};

// The window of short side `side` (at most the matrix's) whose long side, along the matrix's, is `ratio` >= 1
// times that or as long as the matrix is.
WindowShape windowOf(std::uint64_t rows, std::uint64_t columns, std::uint64_t side, double ratio);

// Singular values of all windows together, descending: the average of their densities. Windows begin at up to
// `positions` places along each side, evenly from end to end. kCancelled when stopped.
// Errors: lapackSpectrum's.
Result<std::vector<double>> pooledSpectrum(const DenseMatrix& matrix, const WindowShape& window,
                                           std::size_t positions, const std::stop_token& stop = {});

// Hill's estimate of the tail's exponent from the upper half of x = s^2: 1 + k / sum_{i <= k} ln(x_i / x_{k +
// 1}), k = n / 2 (Hill 1975; as in AlphaDecay and FARMS). Nothing for fewer than 8 values above `floor` or
// where the upper half is constant. `sigma`: descending.
std::optional<double> hillAlpha(std::span<const double> sigma, double floor = 0);

}  // namespace vitrine::core
