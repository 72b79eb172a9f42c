// Singular values with their vectors, A = U diag(sigma) V^T, by LAPACK in double precision.
#pragma once

#include <Eigen/Core>
#include <functional>

#include "core/spectra/dense_matrix.h"

namespace vitrine::core {

// Thin: r = min(m, n). The entry of each u that is largest in magnitude (the first of equals) is positive.
// Where sigmas are equal, or zero, their vectors are some orthonormal basis of the subspace: compare
// subspaces.
struct FullSvd {
  Eigen::MatrixXd u;      // (m, r), orthonormal columns
  Eigen::VectorXd sigma;  // (r), descending
  Eigen::MatrixXd v;      // (n, r), orthonormal columns

  // What rounding leaves of a value that is zero: max(m, n) eps sigma_1.
  double floor() const;
  // Values above floor().
  Eigen::Index rank() const;
};

// By dgesdd (divide and conquer), by dgesvd (QR iteration) where that does not converge. Errors: kInvalidFile
// with the place of the first NaN or infinity, kInvalidArgument for a matrix without elements, kUnsupported
// where neither converges.
Result<FullSvd> fullSvd(const Eigen::MatrixXd& matrix);
Result<FullSvd> fullSvd(const DenseMatrix& matrix);

// fullSvd, or a device's (DeviceSvd). Called from several threads at once.
using SvdSolver = std::function<Result<FullSvd>(const Eigen::MatrixXd& matrix)>;

// The errors of fullSvd that the matrix itself is the reason for.
Result<void> requireVectors(const Eigen::MatrixXd& matrix);

// Makes the largest entry of each u positive, and turns v with it.
void fixSigns(FullSvd& svd);

// Exactly.
Eigen::MatrixXd toDouble(const DenseMatrix& matrix);

}  // namespace vitrine::core
