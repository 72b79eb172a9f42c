#include "core/reference/implied_map.h"

#include <cmath>

namespace vitrine::core {

using Eigen::Index;
using Matrix = ReferenceMatrix;

Matrix impliedWeights(const ReferenceLinearForm& form, std::uint32_t head) {
  const Index tokens = form.queries.rows(), dim = form.queries.cols() / form.groups;
  const Index group = head / (form.heads / form.groups);
  Eigen::VectorXd sums(tokens);  // L
  double sum = 0;
  for (Index t = 0; t < tokens; ++t) sums(t) = sum += form.log_decay(t, head);
  Matrix weights =
      form.queries.middleCols(group * dim, dim) * form.keys.middleCols(group * dim, dim).transpose();
  for (Index t = 0; t < tokens; ++t)
    for (Index i = 0; i < tokens; ++i)
      weights(t, i) *= i <= t ? std::exp(form.log_gain(i, head) + sums(t) - sums(i)) : 0;
  return weights;
}

Matrix impliedMap(const ReferenceLinearForm& form, std::uint32_t head) {
  Matrix map = impliedWeights(form, head).cwiseAbs();
  for (Index t = 0; t < map.rows(); ++t) map.row(t) /= map.row(t).sum();
  return map;
}

}  // namespace vitrine::core
