#include "core/spectra/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

// Sums over t = s / s_1, which neither overflow nor lose the largest value.
struct ScaledSums {
  double first = 0;   // sum t
  double second = 0;  // sum t^2
  double fourth = 0;  // sum t^4
};

ScaledSums scaledSums(std::span<const double> sigma) {
  ScaledSums sums;
  for (double s : sigma) {
    double t = s / sigma.front();
    double energy = t * t;
    sums.first += t;
    sums.second += energy;
    sums.fourth += energy * energy;
  }
  return sums;
}

double entropyTerm(double share) {
  return share > 0 ? -share * std::log(share) : 0;
}

std::array<std::size_t, 3> energyRanks(std::span<const double> sigma, double total) {
  // The sum's own rounding must not ask for one value more.
  constexpr double kSlack = 1e-13;
  std::array<std::size_t, 3> ranks{};
  double held = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < sigma.size() && next < ranks.size(); ++i) {
    double t = sigma[i] / sigma.front();
    held += t * t;
    while (next < ranks.size() && held >= kEnergyShares[next] * total * (1 - kSlack)) ranks[next++] = i + 1;
  }
  return ranks;
}

}  // namespace

SpectrumMetrics spectrumMetrics(std::span<const double> sigma, double floor) {
  auto signal = std::find_if(sigma.begin(), sigma.end(), [floor](double s) { return !(s > floor); });
  auto values = sigma.first(static_cast<std::size_t>(signal - sigma.begin()));
  SpectrumMetrics metrics;
  if (values.empty()) return metrics;

  ScaledSums sums = scaledSums(values);
  double entropy = 0;
  double energy_entropy = 0;
  for (double s : values) {
    double t = s / values.front();
    entropy += entropyTerm(t / sums.first);
    energy_entropy += entropyTerm(t * t / sums.second);
  }
  metrics.s1 = values.front();
  metrics.frobenius = metrics.s1 * std::sqrt(sums.second);
  metrics.nuclear = metrics.s1 * sums.first;
  metrics.stable_rank = sums.second;
  metrics.effective_rank = std::exp(entropy);
  metrics.effective_rank_energy = std::exp(energy_entropy);
  metrics.participation = sums.second * sums.second / sums.fourth;
  metrics.energy_rank = energyRanks(values, sums.second);
  metrics.rank = values.size();
  bool full = values.size() == sigma.size();
  double least = full ? values.back() : floor;
  metrics.condition = least > 0 ? metrics.s1 / least : std::numeric_limits<double>::infinity();
  metrics.condition_is_bound = !full && floor > 0;
  return metrics;
}

}  // namespace vitrine::core
