#include "core/spectra/linear_matrix.h"

#include "core/model/row_source.h"
#include "core/spectra/dense_product.h"
#include "core/spectra/full_svd.h"

namespace vitrine::core {

Result<Eigen::MatrixXd> expandBase(const WeightRef& weight) {
  TRY_ASSIGN(std::vector<float> values, readFloats(rowsOf(weight)));
  const DenseMatrix dense{weight.rows, weight.columns, std::move(values)};
  if (auto finite = requireFinite(dense); !finite) return within(weight.tensor->name, finite.error());
  return toDouble(dense);
}

Result<Eigen::MatrixXd> expandLinear(const Linear& linear) {
  TRY_ASSIGN(Eigen::MatrixXd matrix, expandBase(linear.weight));
  for (const LowRankUpdate& update : linear.updates) {
    TRY_ASSIGN(const Eigen::MatrixXd a, expandBase(update.a));
    TRY_ASSIGN(const Eigen::MatrixXd b, expandBase(update.b));
    matrix += double{update.scale} * update.factor * multiply(b, a);
  }
  return matrix;
}

}  // namespace vitrine::core
