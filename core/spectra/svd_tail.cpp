#include "core/spectra/svd_tail.h"

#include <lapacke.h>

#include "core/spectra/dense_product.h"

namespace vitrine::core {
namespace {

// Householder's QR: `q` in the place of the matrix, the last `tail` rows and columns of R.
Result<Eigen::MatrixXd> factorQr(Eigen::MatrixXd& q, Eigen::Index tail) {
  const auto m = static_cast<lapack_int>(q.rows()), n = static_cast<lapack_int>(q.cols());
  Eigen::VectorXd taus(n);
  lapack_int left = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, q.data(), m, taus.data());
  const Eigen::MatrixXd r = q.block(n - tail, n - tail, tail, tail).triangularView<Eigen::Upper>();
  if (left == 0) left = LAPACKE_dorgqr(LAPACK_COL_MAJOR, m, n, n, q.data(), m, taus.data());
  if (left != 0) return fail(ErrorCode::kUnsupported, "LAPACK's QR of {} x {} failed (info {})", m, n, left);
  return r;
}

}  // namespace

Result<Eigen::Index> completeTail(FullSvd& svd) {
  constexpr double kLeast = 1e-4;  // what is above is off by 1e-16 / kLeast^2
  const Eigen::Index n = svd.sigma.size();
  const Eigen::Index head = (svd.sigma.array() > kLeast * svd.sigma[0]).count(), tail = n - head;
  svd.u.leftCols(head) *= svd.sigma.head(head).cwiseInverse().asDiagonal();
  if (tail == 0) return tail;
  Eigen::MatrixXd q = svd.u;
  TRY_ASSIGN(const Eigen::MatrixXd r, factorQr(q, tail));
  TRY_ASSIGN(const FullSvd inner, fullSvd(r));
  svd.u.rightCols(tail) = multiply(q.rightCols(tail), inner.u);
  svd.v.rightCols(tail) = multiply(svd.v.rightCols(tail), inner.v);
  svd.sigma.tail(tail) = inner.sigma;
  return tail;
}

}  // namespace vitrine::core
