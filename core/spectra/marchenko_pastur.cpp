#include "core/spectra/marchenko_pastur.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace vitrine::core {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::size_t kLeastBulk = 8;
constexpr double kLeastScatter = 1e-9;     // standard deviation / mean; a bulk of less is constant
constexpr std::size_t kRanksFitted = 512;  // more tell no more about one number
constexpr double kTracyWidom99 = 2.0234;   // 99 % quantile for real entries

// The law on the angle t in [0, pi] with lambda / v = 1 + r - 2 sqrt(r) cos t, where it is smooth at both
// edges, r = 1 included: there the density in lambda has a pole.
double angleCdf(double ratio, double t) {
  double centre = 1 + ratio;
  double half_width = 2 * std::sqrt(ratio);
  double turn = std::atan2(centre * std::cos(t) - half_width, (1 - ratio) * std::sin(t));
  double area = kPi * ratio + half_width * std::sin(t) - centre * (kPi / 2 - t) + (1 - ratio) * turn;
  return std::clamp(area / (2 * kPi * ratio), 0.0, 1.0);
}

double unitLambda(double ratio, double t) {
  double least = 1 - std::sqrt(ratio);
  double sine = std::sin(t / 2);
  return least * least + 4 * std::sqrt(ratio) * sine * sine;
}

double angleDensity(double ratio, double t) {
  if (ratio == 1) return 2 / kPi * std::cos(t / 2) * std::cos(t / 2);
  return 2 / kPi * std::sin(t) * std::sin(t) / unitLambda(ratio, t);
}

// Newton's steps, or halves where they leave the bracket.
double angleQuantile(double ratio, double share, double start) {
  double low = 0;
  double high = kPi;
  double t = start;
  for (int step = 0; step < 200 && high - low > 1e-15 * kPi; ++step) {
    double excess = angleCdf(ratio, t) - share;
    (excess < 0 ? low : high) = t;
    double slope = angleDensity(ratio, t);
    double next = slope > 0 ? t - excess / slope : low;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (std::abs(next - t) <= 1e-15 * kPi) return next;
    t = next;
  }
  return t;
}

// The variance whose quantiles are nearest to those of the bulk's middle 80 %; `bulk` is ascending.
double fittedVariance(std::span<const double> bulk, double ratio) {
  double count = static_cast<double>(bulk.size());
  auto first = static_cast<std::size_t>(0.1 * count);
  std::size_t end = bulk.size() - first;
  std::size_t stride = std::max<std::size_t>(1, (end - first) / kRanksFitted);
  double product = 0;
  double square = 0;
  double t = kPi / 2;
  for (std::size_t i = first; i < end; i += stride) {
    t = angleQuantile(ratio, (static_cast<double>(i) + 0.5) / count, t);
    double law = unitLambda(ratio, t);
    product += law * bulk[i];
    square += law * law;
  }
  return product / square;
}

double spikeEdge(const MarchenkoPasturLaw& law, double long_side) {
  double m = std::sqrt(long_side);
  double n = std::sqrt(long_side * law.ratio);
  double width = (m + n) * std::cbrt(1 / m + 1 / n) / long_side;
  return law.upper() + kTracyWidom99 * law.variance * width;
}

double bulkDistance(std::span<const double> bulk, const MarchenkoPasturLaw& law) {
  double count = static_cast<double>(bulk.size());
  double worst = 0;
  for (std::size_t i = 0; i < bulk.size(); ++i) {
    double expected = law.cdf(bulk[i]);
    double below = static_cast<double>(i) / count;
    worst = std::max({worst, expected - below, below + 1 / count - expected});
  }
  return worst;
}

// sqrt(var) / mean, or 0 for zeros.
double scatter(std::span<const double> values) {
  double mean = 0;
  for (double value : values) mean += value / static_cast<double>(values.size());
  if (!(mean > 0)) return 0;
  double variance = 0;
  for (double value : values) {
    double deviation = value / mean - 1;
    variance += deviation * deviation / static_cast<double>(values.size());
  }
  return std::sqrt(variance);
}

// The number of values at the end of `lambda` (ascending) that the noise of the others does not reach, and
// that noise. Spikes never return to the bulk, so this ends.
std::size_t separateSpikes(std::span<const double> lambda, double long_side, MarchenkoPasturLaw& law) {
  std::size_t spikes = 0;
  while (lambda.size() - spikes >= kLeastBulk) {
    law.variance = fittedVariance(lambda.first(lambda.size() - spikes), law.ratio);
    double edge = spikeEdge(law, long_side);
    auto beyond =
        static_cast<std::size_t>(lambda.end() - std::upper_bound(lambda.begin(), lambda.end(), edge));
    if (beyond <= spikes) break;
    spikes = beyond;
  }
  return spikes;
}

}  // namespace

double MarchenkoPasturLaw::lower() const {
  return variance * unitLambda(ratio, 0);
}

double MarchenkoPasturLaw::upper() const {
  return variance * (1 + std::sqrt(ratio)) * (1 + std::sqrt(ratio));
}

double MarchenkoPasturLaw::density(double lambda) const {
  double inside = (upper() - lambda) * (lambda - lower());
  if (!(inside > 0)) return 0;
  return std::sqrt(inside) / (2 * kPi * ratio * variance * lambda);
}

double MarchenkoPasturLaw::cdf(double lambda) const {
  if (!(lambda > lower())) return 0;
  if (lambda >= upper()) return 1;
  double share = (lambda - lower()) / (4 * variance * std::sqrt(ratio));
  return angleCdf(ratio, 2 * std::asin(std::sqrt(std::min(share, 1.0))));
}

double MarchenkoPasturLaw::quantile(double share) const {
  if (!(share > 0)) return lower();
  if (share >= 1) return upper();
  return variance * unitLambda(ratio, angleQuantile(ratio, share, kPi / 2));
}

double MarchenkoPasturFit::sigmaDensity(double s) const {
  double m = static_cast<double>(long_side);
  return s > 0 ? law.density(s * s / m) * 2 * s / m : 0;
}

double MarchenkoPasturFit::sigmaCdf(double s) const {
  return s > 0 ? law.cdf(s * s / static_cast<double>(long_side)) : 0;
}

std::optional<MarchenkoPasturFit> fitMarchenkoPastur(std::span<const double> sigma, std::size_t long_side) {
  if (sigma.size() < kLeastBulk || long_side < sigma.size()) return std::nullopt;
  double m = static_cast<double>(long_side);
  double unit = sigma.front() * sigma.front() / m;
  if (!std::isfinite(unit) || unit < std::numeric_limits<double>::min()) return std::nullopt;

  std::vector<double> lambda;  // in `unit`, ascending
  for (std::size_t i = sigma.size(); i-- > 0;) {
    double t = sigma[i] / sigma.front();
    lambda.push_back(t * t);
  }
  MarchenkoPasturLaw law = {1, static_cast<double>(sigma.size()) / m};
  std::size_t spikes = separateSpikes(lambda, m, law);
  auto bulk = std::span<const double>(lambda).first(lambda.size() - spikes);
  double bulk_scatter = scatter(bulk);
  if (bulk.size() < kLeastBulk || !(bulk_scatter > kLeastScatter) || !(law.variance > 0)) return std::nullopt;

  MarchenkoPasturFit fit = {.law = law, .long_side = long_side, .short_side = sigma.size(), .spikes = spikes};
  fit.distance = bulkDistance(bulk, law);
  double short_side = static_cast<double>(sigma.size());
  fit.effective_entries = short_side * short_side / (bulk_scatter * bulk_scatter);
  fit.lower_sigma = sigma.front() * std::sqrt(law.lower());
  fit.upper_sigma = sigma.front() * std::sqrt(law.upper());
  fit.spike_sigma = sigma.front() * std::sqrt(spikeEdge(law, m));
  fit.law.variance *= unit;
  return fit;
}

}  // namespace vitrine::core
