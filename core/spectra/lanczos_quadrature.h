// The density of a symmetric matrix's eigenvalues from products with vectors alone (stochastic Lanczos
// quadrature: Ubaru, Chen & Saad, SIAM J. Matrix Anal. Appl. 38, 2017): m Lanczos steps from a random unit
// vector v give T (m, m) = Y diag(theta) Y^T, and
//   density ~ sum_k Y[0, k]^2 delta(theta_k),  averaged over vectors
// which gives v^T p(A) v exactly for polynomials p of degree 2 m - 1.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/spectra/tridiagonal.h"
#include "gpu/error.h"

namespace vitrine::core {

// v -> A v, A symmetric.
using SymmetricProduct = std::function<Eigen::VectorXd(const Eigen::VectorXd&)>;

// T after `steps` steps from `start` (not zero), each new vector made orthogonal to all before it twice. Less
// than `steps` where the vectors span an invariant subspace.
Tridiagonal lanczosTridiagonal(const SymmetricProduct& product, const Eigen::VectorXd& start,
                               std::size_t steps);

struct PointDensity {
  std::vector<double> points;   // ascending
  std::vector<double> weights;  // >= 0, sum 1
};

// Of the first `steps` rows of T. kUnsupported where LAPACK does not converge.
Result<PointDensity> gaussQuadrature(const Tridiagonal& t, std::size_t steps);
// Of equal parts of each.
PointDensity averageOf(const std::vector<PointDensity>& densities);
// Of equal weights.
PointDensity densityOf(std::vector<double> values);

// integral |F - G| of the distribution functions: how far mass must be moved, in the unit of the points
// (Wasserstein's first distance).
double distanceBetween(const PointDensity& a, const PointDensity& b);

}  // namespace vitrine::core
