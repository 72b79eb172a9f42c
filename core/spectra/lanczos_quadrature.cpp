#include "core/spectra/lanczos_quadrature.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::core {

Tridiagonal lanczosTridiagonal(const SymmetricProduct& product, const Eigen::VectorXd& start,
                               std::size_t steps) {
  Tridiagonal t;
  const Eigen::Index most = std::min(static_cast<Eigen::Index>(steps), start.size());
  Eigen::MatrixXd basis(start.size(), most);
  Eigen::VectorXd next = start / start.norm();
  double largest = 0;
  for (Eigen::Index k = 0; k < most; ++k) {
    basis.col(k) = next;
    next = product(basis.col(k));
    t.diagonal.push_back(basis.col(k).dot(next));
    largest = std::max(largest, next.norm());
    if (k + 1 == most) break;
    for (int pass = 0; pass < 2; ++pass) {
      const Eigen::VectorXd along = basis.leftCols(k + 1).transpose() * next;
      next -= basis.leftCols(k + 1) * along;
    }
    const double beside = next.norm();
    if (!(beside > 1e-13 * largest)) break;
    t.beside.push_back(beside);
    next /= beside;
  }
  return t;
}

Result<PointDensity> gaussQuadrature(const Tridiagonal& t, std::size_t steps) {
  const std::size_t m = std::min(steps, t.diagonal.size());
  std::vector<double> diagonal(t.diagonal.begin(), t.diagonal.begin() + static_cast<std::ptrdiff_t>(m));
  std::vector<double> beside(t.beside.begin(), t.beside.begin() + static_cast<std::ptrdiff_t>(m - 1));
  beside.push_back(0);
  std::vector<double> vectors(m * m);
  const auto size = static_cast<lapack_int>(m);
  if (const lapack_int left =
          LAPACKE_dstev(LAPACK_COL_MAJOR, 'V', size, diagonal.data(), beside.data(), vectors.data(), size);
      left != 0)
    return fail(ErrorCode::kUnsupported, "LAPACK's dstev left {} eigenvalues of {} without convergence", left,
                m);
  PointDensity density{.points = std::move(diagonal), .weights = {}};
  for (std::size_t k = 0; k < m; ++k) density.weights.push_back(vectors[k * m] * vectors[k * m]);
  return density;
}

PointDensity averageOf(const std::vector<PointDensity>& densities) {
  std::vector<std::pair<double, double>> all;
  for (const PointDensity& density : densities)
    for (std::size_t i = 0; i < density.points.size(); ++i)
      all.emplace_back(density.points[i], density.weights[i] / static_cast<double>(densities.size()));
  std::ranges::sort(all);
  PointDensity average;
  for (const auto& [point, weight] : all) {
    average.points.push_back(point);
    average.weights.push_back(weight);
  }
  return average;
}

PointDensity densityOf(std::vector<double> values) {
  std::ranges::sort(values);
  const double weight = 1 / static_cast<double>(values.size());
  PointDensity density{.points = std::move(values), .weights = {}};
  density.weights.assign(density.points.size(), weight);
  return density;
}

double distanceBetween(const PointDensity& a, const PointDensity& b) {
  double distance = 0, difference = 0, last = 0;
  std::size_t i = 0, j = 0;
  while (i < a.points.size() || j < b.points.size()) {
    const bool from_a = j == b.points.size() || (i < a.points.size() && a.points[i] <= b.points[j]);
    const double at = from_a ? a.points[i] : b.points[j];
    if (i + j > 0) distance += std::abs(difference) * (at - last);
    last = at;
    difference += from_a ? a.weights[i++] : -b.weights[j++];
  }
  return distance;
}

}  // namespace vitrine::core
