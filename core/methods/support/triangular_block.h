// What the studies of Jacobi rotations look at: a matrix in the size of its short side.
#pragma once

#include <Eigen/Core>

#include "core/methods/analysis.h"

namespace vitrine::core::methods {

// R (k, k) of the QR of at most `side` columns of the short side, drawn at random, over all of the long side
// (at most 16,384 drawn): R^T R is their Gram matrix. Rounded to float32 and divided by a power of two so
// that its largest element is in [1/2, 1), or zero.
Eigen::MatrixXf triangularBlock(const DenseMatrix& matrix, std::uint64_t side, std::uint64_t seed);

}  // namespace vitrine::core::methods
