#include "core/methods/support/triangular_block.h"

#include <lapacke.h>

#include <cmath>

#include "core/methods/support/suited_matrices.h"
#include "core/spectra/full_svd.h"

namespace vitrine::core::methods {

Eigen::MatrixXf triangularBlock(const DenseMatrix& matrix, std::uint64_t side, std::uint64_t seed) {
  constexpr std::uint64_t kMostLong = 16'384;
  const bool wide = matrix.rows < matrix.columns;
  const DenseMatrix block = drawnBlock(matrix, wide ? side : kMostLong, wide ? kMostLong : side, seed);
  Eigen::MatrixXd a = toDouble(block);
  if (wide) a.transposeInPlace();
  const auto m = static_cast<lapack_int>(a.rows()), n = static_cast<lapack_int>(a.cols());
  Eigen::VectorXd tau(n);
  const lapack_int info = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, a.data(), m, tau.data());
  VITRINE_ASSERT(info == 0);  // others are wrong arguments
  Eigen::MatrixXd r = Eigen::MatrixXd::Zero(n, n);
  r.triangularView<Eigen::Upper>() = a.topRows(n).triangularView<Eigen::Upper>();
  const double largest = r.cwiseAbs().maxCoeff();
  if (largest > 0) r *= std::ldexp(1.0, -std::ilogb(largest) - 1);
  return r.cast<float>();
}

}  // namespace vitrine::core::methods
