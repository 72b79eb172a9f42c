// Figures of what fine-tunes have done to a base's matrices (core/spectra/comparison.h):
//   intruders  similarity |u0_i . u1_j| of the strongest directions; intruders among the first k
//   phi        subspace similarity phi(i, j); its diagonal
//   delta      |U0^T dW V0| over ||dW||_F; shares of ||dW||^2 on the diagonal, in the band and in the corner
// A map for each fine-tune (small multiples, kinds of matrices by layers, where there are several matrices),
// all on one scale, and the means over the matrices in a last panel.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"
#include "core/spectra/comparison.h"

namespace vitrine::core {

struct ComparedTune {
  std::string name;
  std::vector<MatrixComparison> matrices;  // several: named with their layers
};

struct ComparisonFigureOptions {
  std::string base;  // named in the caption
  ColormapId colormap = ColormapId::kViridis;
  double epsilon = 0.5;    // intruders: what matches less is one
  std::size_t first = 10;  // intruders: of the summary's count
};

// "intruders", "phi", "delta".
std::span<const std::string_view> comparisonFigureNames();

// Errors: kInvalidArgument for another name, for no matrix, and where several matrices have no layers in
// their names.
Result<Figure> comparisonFigure(std::string_view name, std::span<const ComparedTune> tunes,
                                const ComparisonFigureOptions& options);

}  // namespace vitrine::core
