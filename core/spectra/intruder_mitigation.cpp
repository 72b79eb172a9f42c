#include "core/spectra/intruder_mitigation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/spectra/dense_product.h"
#include "core/spectra/subspaces.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Among the k strongest by `sigma`, zeros being no directions.
std::size_t intrudersAmong(const VectorXd& sigma, const VectorXd& match, const IntruderRule& rule,
                           double floor) {
  std::vector<Index> order(static_cast<std::size_t>(sigma.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, [&](Index a, Index b) { return sigma[a] > sigma[b]; });
  order.resize(std::min(order.size(), rule.k));
  return static_cast<std::size_t>(
      std::ranges::count_if(order, [&](Index j) { return sigma[j] > floor && match[j] < rule.epsilon; }));
}

}  // namespace

VectorXd matchOfDirections(const FullSvd& base, const FullSvd& tuned, double cluster_width) {
  VectorXd best = VectorXd::Zero(tuned.sigma.size());
  if (const Index rank = base.rank(); rank > 0)
    best = bestMatch(cosinesOf(base.u.leftCols(rank), tuned.u),
                     clustersOf(base.sigma.head(rank), cluster_width));
  best.tail(best.size() - tuned.rank()).setOnes();
  return best;
}

Mitigation mitigateIntruders(const FullSvd& tuned, const VectorXd& match, const MatrixXd& change,
                             const IntruderRule& rule, std::span<const double> lambdas) {
  Mitigation to{.change_norm = change.norm()};
  for (Index j = 0; j < std::min<Index>(static_cast<Index>(rule.k), match.size()); ++j)
    if (match[j] < rule.epsilon) to.intruders.push_back(j);
  double along = 0;
  if (!to.intruders.empty()) {
    const VectorXd t = tuned.sigma(to.intruders);
    to.left_factor = tuned.u(Eigen::all, to.intruders) * t.asDiagonal();
    to.right_factor = tuned.v(Eigen::all, to.intruders);
    to.energy = t.squaredNorm();
    along = multiply(change, to.right_factor).cwiseProduct(to.left_factor).sum();
    to.closest_lambda = 1 - along / to.energy;
  }
  for (const double lambda : lambdas) {
    const double step = lambda - 1;
    const double squared = to.change_norm * to.change_norm + 2 * step * along + step * step * to.energy;
    to.change.push_back(std::sqrt(std::max(0.0, squared)));
    VectorXd sigma = tuned.sigma;
    sigma(to.intruders) *= lambda;
    to.left.push_back(intrudersAmong(sigma, match, rule, tuned.floor()));
  }
  return to;
}

MatrixXd scaledIntruders(const MatrixXd& tuned, const Mitigation& of, double lambda) {
  if (of.intruders.empty()) return tuned;
  return tuned + (lambda - 1) * multiply(of.left_factor, of.right_factor, Side::kAsIs, Side::kTransposed);
}

}  // namespace vitrine::core
