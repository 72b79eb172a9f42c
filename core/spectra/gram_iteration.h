// Upper bounds of the largest singular value by squaring: G_0 = A^T A (of the short side), G_t = G_{t-1}^2,
// and ||G_t||_F^(1 / 2^(t+1)) >= s1 falls towards s1, since the Schatten 2^(t+2) norm does. Delattre et al.,
// "Efficient Bound of Lipschitz Constant for Convolutional Layers by Gram Iteration" (arXiv:2305.16173). G is
// divided by its norm before each squaring, whose logarithm is carried: nothing overflows.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "core/spectra/dense_matrix.h"

namespace vitrine::core {

// (steps + 1): ||A||_F first, then after each product. Descending up to rounding; zeros for a zero matrix.
// Costs m n^2 + (steps - 1) n^3 multiplications, n the short side.
std::vector<double> gramIterationBounds(const Eigen::MatrixXd& matrix, std::size_t steps);

// (steps + 1): what as many steps of the power iteration x <- A^T A x / |A^T A x| give from a fixed start,
// |A x|: bounds from below. 2 m n multiplications a step.
std::vector<double> powerIterationBounds(const Eigen::MatrixXd& matrix, std::size_t steps);

}  // namespace vitrine::core
