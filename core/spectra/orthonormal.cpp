#include "core/spectra/orthonormal.h"

#include <lapacke.h>

#include "core/spectra/dense_product.h"

namespace vitrine::core {

Result<Eigen::MatrixXd> factorQr(Eigen::MatrixXd& a) {
  const auto m = static_cast<lapack_int>(a.rows()), n = static_cast<lapack_int>(a.cols());
  Eigen::VectorXd taus(n);
  lapack_int left = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, a.data(), m, taus.data());
  const Eigen::MatrixXd r = a.topRows(n).triangularView<Eigen::Upper>();
  if (left == 0) left = LAPACKE_dorgqr(LAPACK_COL_MAJOR, m, n, n, a.data(), m, taus.data());
  if (left == 0) return r;
  return fail(ErrorCode::kUnsupported, "LAPACK's QR of {} x {} failed (info {})", m, n, left);
}

Result<Eigen::MatrixXd> orthonormalizeAgainst(const Eigen::MatrixXd& basis, Eigen::MatrixXd& block) {
  Eigen::MatrixXd r = Eigen::MatrixXd::Identity(block.cols(), block.cols());
  for (int round = 0; round < 2; ++round) {
    if (basis.cols() > 0) block -= multiply(basis, multiply(basis, block, Side::kTransposed));
    TRY_ASSIGN(const Eigen::MatrixXd factor, factorQr(block));
    r = multiply(factor, r);
  }
  return r;
}

}  // namespace vitrine::core
