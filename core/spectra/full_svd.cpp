#include "core/spectra/full_svd.h"

#include <lapacke.h>

#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

enum class SvdDriver { kDivideAndConquer, kQrIteration };

// LAPACK's info: 0 where it converged. `a` is overwritten.
lapack_int factorize(SvdDriver driver, Eigen::MatrixXd a, FullSvd& to) {
  const auto m = static_cast<lapack_int>(a.rows()), n = static_cast<lapack_int>(a.cols());
  const lapack_int r = std::min(m, n);
  Eigen::MatrixXd vt(r, n);
  to.u.resize(m, r);
  to.sigma.resize(r);
  lapack_int left = 0;
  if (driver == SvdDriver::kDivideAndConquer) {
    left = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', m, n, a.data(), m, to.sigma.data(), to.u.data(), m,
                          vt.data(), r);
  } else {
    std::vector<double> unfinished(static_cast<std::size_t>(r));
    left = LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'S', 'S', m, n, a.data(), m, to.sigma.data(), to.u.data(), m,
                          vt.data(), r, unfinished.data());
  }
  to.v = vt.transpose();
  return left;
}

}  // namespace

Result<void> requireVectors(const Eigen::MatrixXd& matrix) {
  if (matrix.size() == 0)
    return fail(ErrorCode::kInvalidArgument, "a matrix of {} x {} has no singular vectors", matrix.rows(),
                matrix.cols());
  if (matrix.allFinite()) return {};
  for (Eigen::Index r = 0; r < matrix.rows(); ++r)
    for (Eigen::Index c = 0; c < matrix.cols(); ++c)
      if (!std::isfinite(matrix(r, c)))
        return fail(ErrorCode::kInvalidFile,
                    "element ({}, {}) is {}: a matrix with such an element has no singular vectors", r, c,
                    matrix(r, c));
  return {};
}

double FullSvd::floor() const {
  return sigma.size() == 0 ? 0
                           : static_cast<double>(std::max(u.rows(), v.rows())) *
                                 std::numeric_limits<double>::epsilon() * sigma[0];
}

Eigen::Index FullSvd::rank() const {
  return (sigma.array() > floor()).count();
}

void fixSigns(FullSvd& svd) {
  for (Eigen::Index i = 0; i < svd.sigma.size(); ++i) {
    Eigen::Index largest = 0;
    svd.u.col(i).cwiseAbs().maxCoeff(&largest);
    if (svd.u(largest, i) >= 0) continue;
    svd.u.col(i) = -svd.u.col(i);
    svd.v.col(i) = -svd.v.col(i);
  }
}

Result<FullSvd> fullSvd(const Eigen::MatrixXd& matrix) {
  TRY(requireVectors(matrix));
  FullSvd svd;
  if (factorize(SvdDriver::kDivideAndConquer, matrix, svd) != 0)
    if (const lapack_int left = factorize(SvdDriver::kQrIteration, matrix, svd); left != 0)
      return fail(ErrorCode::kUnsupported, "LAPACK's dgesdd and dgesvd did not converge on {} x {} (info {})",
                  matrix.rows(), matrix.cols(), left);
  fixSigns(svd);
  return svd;
}

Result<FullSvd> fullSvd(const DenseMatrix& matrix) {
  return fullSvd(toDouble(matrix));
}

Eigen::MatrixXd toDouble(const DenseMatrix& matrix) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows>(matrix.values.data(), static_cast<Eigen::Index>(matrix.rows),
                                static_cast<Eigen::Index>(matrix.columns))
      .cast<double>();
}

}  // namespace vitrine::core
