#include "core/spectra/gram_iteration.h"

#include <cmath>
#include <random>

#include "core/spectra/dense_product.h"

namespace vitrine::core {

std::vector<double> gramIterationBounds(const Eigen::MatrixXd& matrix, std::size_t steps) {
  const bool wide = matrix.rows() < matrix.cols();
  const Side left = wide ? Side::kAsIs : Side::kTransposed, right = wide ? Side::kTransposed : Side::kAsIs;
  std::vector<double> bounds;
  Eigen::MatrixXd power = matrix;  // over its norm: A, then G_0, G_1 ..
  double log_scale = 0;            // what it was divided by
  for (std::size_t t = 0; t <= steps; ++t) {
    const double norm = power.norm();
    if (norm == 0) return std::vector<double>(steps + 1, 0.0);
    log_scale += std::log(norm);
    bounds.push_back(std::exp(std::ldexp(log_scale, -static_cast<int>(t))));
    if (t == steps) break;
    power /= norm;
    power = t == 0 ? multiply(power, power, left, right) : multiply(power, power);
    log_scale *= 2;
  }
  return bounds;
}

std::vector<double> powerIterationBounds(const Eigen::MatrixXd& matrix, std::size_t steps) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  Eigen::VectorXd x = Eigen::VectorXd::NullaryExpr(matrix.cols(), [&] { return normal(random); });
  x.normalize();
  std::vector<double> bounds;
  for (std::size_t t = 0; t <= steps; ++t) {
    const Eigen::VectorXd image = matrix * x;
    bounds.push_back(image.norm());
    if (bounds.back() == 0) return std::vector<double>(steps + 1, 0.0);
    x = matrix.transpose() * image;
    x.normalize();
  }
  return bounds;
}

}  // namespace vitrine::core
