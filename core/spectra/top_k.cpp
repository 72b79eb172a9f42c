#include "core/spectra/top_k.h"

#include <lapacke.h>

#include <algorithm>
#include <random>

#include "core/spectra/dense_product.h"
#include "core/spectra/orthonormal.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd besides(const MatrixXd& a, const MatrixXd& b) {
  MatrixXd both(std::max(a.rows(), b.rows()), a.cols() + b.cols());
  both << a, b;
  return both;
}

// Q (rows, c) orthonormal, W = A^T Q (columns, c), Z = A W (rows, c).
struct Krylov {
  MatrixXd q, w, z;
};

// Singular triplets of Q^T A from W^T W, whose small values, unlike the large ones, that loses.
Result<TopK> extract(const Krylov& krylov, const TopKOptions& options) {
  MatrixXd vectors = multiply(krylov.w, krylov.w, Side::kTransposed);
  const auto c = static_cast<lapack_int>(vectors.cols());
  VectorXd squares(c);
  if (const lapack_int left =
          LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', c, vectors.data(), c, squares.data());
      left != 0)
    return fail(ErrorCode::kUnsupported, "LAPACK's dsyevd did not converge on {} values (info {})", c, left);
  constexpr double kLeast = 1e-7;  // of the largest: below it the vectors are noise
  const VectorXd sigma = squares.reverse().cwiseMax(0.0).cwiseSqrt();
  const Index known = sigma[0] > 0 ? (sigma.array() > kLeast * sigma[0]).count() : 0;
  const Index k = std::min(options.k, known);
  const MatrixXd inner = vectors.rowwise().reverse().leftCols(k);
  TopK found{.svd = {multiply(krylov.q, inner), sigma.head(k), multiply(krylov.w, inner)}, .residuals = {}};
  const Eigen::ArrayXd inverse = found.svd.sigma.array().inverse();
  found.svd.v = found.svd.v * inverse.matrix().asDiagonal();
  // A^T u = sigma v holds by this; what is left of A v - sigma u is the whole residual.
  MatrixXd left = multiply(krylov.z, inner) * inverse.matrix().asDiagonal();
  left -= found.svd.u * found.svd.sigma.asDiagonal();
  found.residuals = left.colwise().norm();
  found.converged = k == 0 || found.residuals.maxCoeff() <= options.tolerance * sigma[0];
  return found;
}

}  // namespace

LinearOperator operatorOf(const MatrixXd& matrix) {
  return {.rows = matrix.rows(),
          .columns = matrix.cols(),
          .times = [&matrix](const MatrixXd& x) -> Result<MatrixXd> { return multiply(matrix, x); },
          .transposed_times = [&matrix](const MatrixXd& y) -> Result<MatrixXd> {
            return multiply(matrix, y, Side::kTransposed);
          }};
}

LinearOperator operatorOf(const LowRankProduct& product) {
  return {.rows = product.left.rows(),
          .columns = product.right.cols(),
          .times = [&product](const MatrixXd& x) -> Result<MatrixXd> {
            return multiply(product.left, multiply(product.right, x));
          },
          .transposed_times = [&product](const MatrixXd& y) -> Result<MatrixXd> {
            return multiply(product.right, multiply(product.left, y, Side::kTransposed), Side::kTransposed);
          }};
}

Result<TopK> topSingular(const LinearOperator& a, const TopKOptions& options, const std::stop_token& stop) {
  const Index r = std::min(a.rows, a.columns);
  if (r == 0 || options.k < 1)
    return fail(ErrorCode::kInvalidArgument, "a matrix of {} x {} has no {} largest singular values", a.rows,
                a.columns, options.k);
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  const Index width = std::min(options.k + options.oversampling, r);
  const MatrixXd start = MatrixXd::NullaryExpr(a.columns, width, [&] { return normal(random); });
  TRY_ASSIGN(MatrixXd block, a.times(start));
  Krylov krylov{MatrixXd(a.rows, 0), MatrixXd(a.columns, 0), MatrixXd(a.rows, 0)};
  for (Index blocks = 1;; ++blocks) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled");
    TRY(orthonormalizeAgainst(krylov.q, block));
    TRY_ASSIGN(const MatrixXd w, a.transposed_times(block));
    TRY_ASSIGN(const MatrixXd z, a.times(w));
    krylov = {besides(krylov.q, block), besides(krylov.w, w), besides(krylov.z, z)};
    TRY_ASSIGN(TopK found, extract(krylov, options));
    const Index room = r - krylov.q.cols();
    if (found.converged || room == 0 || blocks == options.most_blocks) {
      found.blocks = blocks;
      fixSigns(found.svd);
      return found;
    }
    block = z.leftCols(std::min(room, z.cols()));
  }
}

}  // namespace vitrine::core
