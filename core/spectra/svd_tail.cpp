#include "core/spectra/svd_tail.h"

#include "core/spectra/dense_product.h"
#include "core/spectra/orthonormal.h"

namespace vitrine::core {

Result<Eigen::Index> completeTail(FullSvd& svd) {
  constexpr double kLeast = 1e-4;  // what is above is off by 1e-16 / kLeast^2
  const Eigen::Index n = svd.sigma.size();
  const Eigen::Index head = (svd.sigma.array() > kLeast * svd.sigma[0]).count(), tail = n - head;
  svd.u.leftCols(head) *= svd.sigma.head(head).cwiseInverse().asDiagonal();
  if (tail == 0) return tail;
  Eigen::MatrixXd q = svd.u.rightCols(tail);
  TRY_ASSIGN(const Eigen::MatrixXd r, orthonormalizeAgainst(svd.u.leftCols(head), q));
  TRY_ASSIGN(const FullSvd inner, fullSvd(r));
  svd.u.rightCols(tail) = multiply(q, inner.u);
  svd.v.rightCols(tail) = multiply(svd.v.rightCols(tail), inner.v);
  svd.sigma.tail(tail) = inner.sigma;
  return tail;
}

}  // namespace vitrine::core
