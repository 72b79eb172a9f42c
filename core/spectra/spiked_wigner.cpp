#include "core/spectra/spiked_wigner.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace vitrine::core {
namespace {

// mean over all of 1 / (x - l_i)^power, leaving out those before `first` and `without`.
double meanPower(std::span<const double> values, std::size_t first, std::size_t without, double x,
                 int power) {
  double sum = 0;
  for (std::size_t i = first; i < values.size(); ++i)
    if (i != without) sum += std::pow(x - values[i], -power);
  return sum / static_cast<double>(values.size());
}

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

}  // namespace

double noiseRadius(double sigma, double size, double batch) {
  return sigma * std::sqrt(size / batch);
}

double spikedValue(double l, double radius) {
  return l > radius ? l + radius * radius / l : 2 * radius;
}

double spikeAboveBulk(std::span<const double> values, std::size_t k, double radius) {
  const double l = values[k], square = radius * radius;
  if (radius == 0) return l;
  if (!(square * meanPower(values, 0, k, l, 2) < 1)) return std::numeric_limits<double>::quiet_NaN();
  return l + square * meanPower(values, 0, k, l, 1);
}

double bulkEdge(std::span<const double> values, std::size_t first, double radius) {
  if (radius == 0) return values[first];
  const double square = radius * radius, top = values[first];
  // r^2 mean 1 / (x - l)^2 falls from infinity at the top value to below 1 at a distance of r.
  double low = 0, high = radius;
  for (int step = 0; step < 100; ++step) {
    const double middle = (low + high) / 2;
    (square * meanPower(values, first, kNone, top + middle, 2) > 1 ? low : high) = middle;
  }
  return top + high + square * meanPower(values, first, kNone, top + high, 1);
}

Result<std::vector<double>> noisyEigenvalues(std::span<const double> values, double radius, std::size_t count,
                                             std::uint64_t seed) {
  const std::size_t n = values.size();
  const double deviation = radius / std::sqrt(static_cast<double>(n));
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> a(n * n), found(n);
  for (std::size_t c = 0; c < n; ++c) {
    a[c * n + c] = values[c] + std::sqrt(2.0) * deviation * normal(random);
    for (std::size_t r = c + 1; r < n; ++r) a[c * n + r] = deviation * normal(random);
  }
  const auto size = static_cast<lapack_int>(n);
  if (const lapack_int left = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'N', 'L', size, a.data(), size, found.data());
      left != 0)
    return fail(ErrorCode::kUnsupported, "LAPACK's dsyevd did not converge on {} x {} (info {})", n, n, left);
  std::ranges::reverse(found);
  found.resize(std::min(count, n));
  return found;
}

}  // namespace vitrine::core
