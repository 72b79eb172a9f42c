#include "core/spectra/weight_watcher.h"

#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

constexpr double kOverTrainedBelow = 2;
constexpr double kUnderTrainedAbove = 6;

// sum (s / s_1)^power: in [1, n], whatever the scale.
double scaledPowerSum(std::span<const double> sigma, double power) {
  double sum = 0;
  for (double s : sigma) sum += std::pow(s / sigma.front(), power);
  return sum;
}

double energyEntropy(std::span<const double> sigma, double energy) {
  double entropy = 0;
  for (double s : sigma) {
    double t = s / sigma.front();
    double share = t * t / energy;
    if (share > 0) entropy -= share * std::log(share);
  }
  return entropy;
}

std::size_t numericalRank(std::span<const double> sigma, std::size_t long_side) {
  double tolerance = static_cast<double>(long_side) * std::numeric_limits<double>::epsilon();
  std::size_t rank = 0;
  while (rank < sigma.size() && sigma[rank] / sigma.front() > tolerance) ++rank;
  return rank;
}

}  // namespace

TrainingFlag trainingFlag(double alpha) {
  if (alpha < kOverTrainedBelow) return TrainingFlag::kOverTrained;
  if (alpha > kUnderTrainedAbove) return TrainingFlag::kUnderTrained;
  return TrainingFlag::kNone;
}

std::optional<WeightWatcherNumbers> weightWatcherNumbers(std::span<const double> sigma, std::size_t long_side,
                                                         const PowerLaw& fit) {
  if (sigma.empty() || !(sigma.front() > 0)) return std::nullopt;
  WeightWatcherNumbers numbers;
  double energy = scaledPowerSum(sigma, 2);
  numbers.log_spectral_norm = 2 * std::log10(sigma.front());
  numbers.log_norm = numbers.log_spectral_norm + std::log10(energy);
  numbers.alpha_weighted = fit.alpha * numbers.log_spectral_norm;
  numbers.log_alpha_norm = numbers.alpha_weighted + std::log10(scaledPowerSum(sigma, 2 * fit.alpha));
  numbers.rank = numericalRank(sigma, long_side);
  if (numbers.rank > 1)
    numbers.entropy = energyEntropy(sigma, energy) / std::log(static_cast<double>(numbers.rank));
  numbers.flag = trainingFlag(fit.alpha);
  return numbers;
}

}  // namespace vitrine::core
