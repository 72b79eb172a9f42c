#include "core/spectra/singular_value_adapter.h"

#include <algorithm>

#include "core/spectra/dense_product.h"
#include "core/spectra/energy_curve.h"

namespace vitrine::core {

Eigen::MatrixXd SingularValueAdapter::merged(const Eigen::VectorXd& values) const {
  return multiply(u * values.asDiagonal(), v, Side::kAsIs, Side::kTransposed) + residual;
}

Eigen::VectorXd SingularValueAdapter::nearest(const Eigen::MatrixXd& aim) const {
  return multiply(aim - residual, v).cwiseProduct(u).colwise().sum();
}

Result<SingularValueAdapter> singularValueAdapter(const Eigen::MatrixXd& matrix, double share) {
  TRY_ASSIGN(const FullSvd svd, fullSvd(matrix));
  const std::span<const double> sigma(svd.sigma.data(), static_cast<std::size_t>(svd.sigma.size()));
  const auto r = static_cast<Eigen::Index>(std::max<std::size_t>(1, energyRank(sigma, share)));
  SingularValueAdapter adapter{
      .u = svd.u.leftCols(r), .v = svd.v.leftCols(r), .sigma = svd.sigma.head(r), .residual = {}};
  adapter.residual = Eigen::MatrixXd::Zero(matrix.rows(), matrix.cols());
  adapter.residual = matrix - adapter.merged(adapter.sigma);
  return adapter;
}

}  // namespace vitrine::core
