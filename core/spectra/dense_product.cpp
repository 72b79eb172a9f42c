#include "core/spectra/dense_product.h"

#include <cblas.h>

#include "gpu/error.h"

namespace vitrine::core {

Eigen::MatrixXd multiply(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, Side a_side, Side b_side) {
  const bool turned_a = a_side == Side::kTransposed, turned_b = b_side == Side::kTransposed;
  const Eigen::Index m = turned_a ? a.cols() : a.rows(), k = turned_a ? a.rows() : a.cols();
  const Eigen::Index n = turned_b ? b.rows() : b.cols();
  VITRINE_ASSERT(k == (turned_b ? b.cols() : b.rows()));
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(m, n);
  if (m == 0 || n == 0 || k == 0) return out;
  const auto size = [](Eigen::Index i) { return static_cast<blasint>(i); };
  cblas_dgemm(CblasColMajor, turned_a ? CblasTrans : CblasNoTrans, turned_b ? CblasTrans : CblasNoTrans,
              size(m), size(n), size(k), 1, a.data(), size(a.rows()), b.data(), size(b.rows()), 0, out.data(),
              size(m));
  return out;
}

}  // namespace vitrine::core
