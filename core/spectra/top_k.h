// The largest singular values with their vectors by block Krylov iteration (Musco and Musco,
// arXiv:1504.05477): the subspace of A Omega, (A A^T) A Omega, .. with a random start Omega, each block made
// orthogonal to all before, and the singular values of A on it. Needs A only by its products with blocks of
// vectors, so that A may be a product of factors. Values come from below, and a residual says how far they
// can be off.
#pragma once

#include <functional>
#include <stop_token>

#include "core/spectra/full_svd.h"
#include "core/spectra/low_rank_product.h"

namespace vitrine::core {

// A (rows, columns) by what it does to blocks of vectors, in double precision.
struct LinearOperator {
  Eigen::Index rows = 0, columns = 0;
  std::function<Result<Eigen::MatrixXd>(const Eigen::MatrixXd&)> times;  // (columns, b) -> (rows, b)
  std::function<Result<Eigen::MatrixXd>(const Eigen::MatrixXd&)>
      transposed_times;  // (rows, b) -> (columns, b)
};
// They refer to what they are made of.
LinearOperator operatorOf(const Eigen::MatrixXd& matrix);
LinearOperator operatorOf(const LowRankProduct& product);

struct TopKOptions {
  Eigen::Index k = 16;
  Eigen::Index oversampling = 8;  // columns of a block beyond k
  double tolerance = 1e-4;        // of residuals, relative to the largest value: ends the iteration
  Eigen::Index most_blocks = 16;  // ends it too
};

struct TopK {
  // (rows, k'), (k'), (columns, k'): fewer than k where the rank is lower.
  FullSvd svd;
  // (k'): (||A v - s u||^2 + ||A^T u - s v||^2)^(1/2). Within residual of each s lies a singular value of A.
  Eigen::VectorXd residuals;
  Eigen::Index blocks = 0;  // that were needed; 2 products with A each
  bool converged = false;   // all residuals are within the tolerance
};

// From a fixed random start: the same each time. Errors: the operator's; kInvalidArgument without elements or
// for k = 0; kUnsupported where LAPACK does not converge; kCancelled, between products.
Result<TopK> topSingular(const LinearOperator& a, const TopKOptions& options = {},
                         const std::stop_token& stop = {});

}  // namespace vitrine::core
