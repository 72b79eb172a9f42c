#include "core/spectra/base_coordinates.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/spectra/dense_product.h"

namespace vitrine::core {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd changeInBasis(const FullSvd& base, const MatrixXd& change) {
  return multiply(multiply(base.u, change, Side::kTransposed, Side::kAsIs), base.v);
}

std::uint64_t bandElements(std::uint64_t r, std::uint64_t band) {
  band = std::min(band, r - 1);
  return r + 2 * r * band - band * (band + 1);
}

std::vector<double> bandEnergies(const MatrixXd& d) {
  std::vector<double> energies(static_cast<std::size_t>(d.rows()));
  for (Index j = 0; j < d.cols(); ++j)
    for (Index i = 0; i < d.rows(); ++i)
      energies[static_cast<std::size_t>(std::abs(i - j))] += d(i, j) * d(i, j);
  std::partial_sum(energies.begin(), energies.end(), energies.begin());
  return energies;
}

std::vector<double> energiesByScore(const MatrixXd& d, const MatrixXd& score) {
  std::vector<Index> order(static_cast<std::size_t>(d.size()));
  std::iota(order.begin(), order.end(), Index{0});
  const double* scores = score.data();
  std::ranges::sort(
      order, [scores](Index a, Index b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  std::vector<double> energies = {0};
  energies.reserve(order.size() + 1);
  for (const Index i : order) energies.push_back(energies.back() + d.data()[i] * d.data()[i]);
  return energies;
}

std::vector<double> lowRankEnergies(const VectorXd& sigma) {
  std::vector<double> energies = {0};
  for (const double s : sigma) energies.push_back(energies.back() + s * s);
  return energies;
}

SingularValueShift singularValueShift(const FullSvd& base, const MatrixXd& change) {
  const MatrixXd d = changeInBasis(base, change);
  SingularValueShift to{.sigma = base.sigma, .shift = d.diagonal()};
  MatrixXd off = d;
  off.diagonal().setZero();
  const double rest = off.norm(), whole = std::hypot((to.sigma + to.shift).norm(), rest);
  if (whole > 0) to.off_diagonal = rest / whole;
  // The part outside of both spans by difference: what it leaves under the root is rounding.
  const double outside = std::max(0.0, change.squaredNorm() - d.squaredNorm());
  if (const double all = change.norm(); all > 0)
    to.unexplained = std::min(1.0, std::sqrt(rest * rest + outside) / all);
  return to;
}

}  // namespace vitrine::core
