// Orthonormal columns, also where there is little to go by.
#pragma once

#include <Eigen/Core>

#include "gpu/error.h"

namespace vitrine::core {

// Householder's QR of a (m, n) with m >= n: `a` becomes Q (m, n), orthonormal even where columns depend on
// one another; returns R (n, n), so that Q R is what `a` was. kUnsupported where LAPACK fails.
Result<Eigen::MatrixXd> factorQr(Eigen::MatrixXd& a);

// `block` (m, b) becomes orthonormal and orthogonal to `basis` (m, c), orthonormal itself, c + b <= m;
// returns R with block_before - basis (basis^T block_before) = block R. In two rounds: rounding that one has
// magnified is gone after the other.
Result<Eigen::MatrixXd> orthonormalizeAgainst(const Eigen::MatrixXd& basis, Eigen::MatrixXd& block);

}  // namespace vitrine::core
