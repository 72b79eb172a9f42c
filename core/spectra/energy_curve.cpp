#include "core/spectra/energy_curve.h"

#include <algorithm>
#include <cmath>

namespace vitrine::core {
namespace {

// Summed from the small end, so that tails keep their digits: sum_{i >= k} s_i^2 at k, and 0 at n.
std::vector<double> tailSums(std::span<const double> sigma) {
  std::vector<double> sums(sigma.size() + 1);
  for (std::size_t i = sigma.size(); i-- > 0;) sums[i] = sums[i + 1] + sigma[i] * sigma[i];
  return sums;
}

}  // namespace

std::vector<double> energyCurve(std::span<const double> sigma) {
  const std::vector<double> tails = tailSums(sigma);
  std::vector<double> curve;
  for (std::size_t k = 1; k < tails.size(); ++k)
    curve.push_back(tails[0] > 0 ? 1 - tails[k] / tails[0] : 1.0);
  return curve;
}

std::size_t energyRank(std::span<const double> sigma, double share) {
  const std::vector<double> tails = tailSums(sigma);
  if (!(tails[0] > 0)) return 0;
  std::size_t k = 0;
  while (k < sigma.size() && tails[k] > (1 - share) * tails[0]) ++k;
  return k;
}

double truncationError(std::span<const double> sigma, std::size_t k) {
  const std::vector<double> tails = tailSums(sigma);
  return tails[0] > 0 ? std::sqrt(tails[std::min(k, sigma.size())] / tails[0]) : 0;
}

std::size_t elbowRank(std::span<const double> sigma) {
  if (sigma.empty() || !(sigma.front() > 0)) return 0;
  const double steps = static_cast<double>(sigma.size() - 1);
  std::size_t elbow = 0;
  double furthest = 1e-12 * sigma.front();
  for (std::size_t i = 1; i + 1 < sigma.size(); ++i) {
    const double along = static_cast<double>(i) / steps;
    const double below = sigma.front() + along * (sigma.back() - sigma.front()) - sigma[i];
    if (below > furthest) furthest = below, elbow = i;
  }
  return elbow + 1;
}

}  // namespace vitrine::core
