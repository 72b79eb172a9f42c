#include "core/figure/spectrum_curves.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::core {
namespace {

constexpr double kMostDecades = 7;  // of a log axis: what lies below is rounding
constexpr double kHeadroom = 1.06;

std::size_t aboveFloor(const Spectrum& spectrum) {
  const auto end = std::ranges::partition_point(spectrum.sigma, [&](double s) { return s > spectrum.floor; });
  return std::size_t(end - spectrum.sigma.begin());
}

// Of `all`, the sum of all squares.
Curve cumulativeEnergy(std::span<const double> sigma, double all) {
  Curve curve{.x = {0}, .y = {0}, .certain = 0};
  double sum = 0;
  for (std::size_t i = 0; i < sigma.size(); ++i) {
    sum += sigma[i] * sigma[i];
    curve.x.push_back(double(i + 1));
    curve.y.push_back(all > 0 ? sum / all : 0);
  }
  curve.certain = curve.x.size();
  return curve;
}

Curve overIndices(const std::vector<double>& sigma, std::size_t certain) {
  Curve curve{.x = {}, .y = sigma, .certain = certain};
  for (std::size_t i = 0; i < sigma.size(); ++i) curve.x.push_back(double(i));
  return curve;
}

}  // namespace

std::string_view name(PlotMode mode) {
  constexpr std::string_view kNames[] = {"log", "linear", "energy", "density"};
  return kNames[int(mode)];
}
std::string_view title(PlotMode mode) {
  constexpr std::string_view kTitles[] = {"Singular values", "Singular values", "Cumulative energy",
                                          "Density of the singular values"};
  return kTitles[int(mode)];
}
std::string_view quantity(PlotMode mode) {
  constexpr std::string_view kQuantities[] = {"singular value", "singular value", "share of Σσ²", "density"};
  return kQuantities[int(mode)];
}
std::string_view places(PlotMode mode) {
  return mode == PlotMode::kDensity  ? "singular value"
         : mode == PlotMode::kEnergy ? "first k values"
                                     : "index";
}

Curve curveOf(const SpectrumReport& report, PlotMode mode) {
  const SpectrumReport* const one[] = {&report};
  if (mode == PlotMode::kDensity) return densityOf(report, binsFor(one));
  const std::vector<double>& sigma = report.spectrum.sigma;
  if (mode == PlotMode::kEnergy)
    return cumulativeEnergy(sigma, std::inner_product(sigma.begin(), sigma.end(), sigma.begin(), 0.0));
  return overIndices(sigma, aboveFloor(report.spectrum));
}

Curve curveOf(const SpectrumPreview& preview, PlotMode mode) {
  if (mode == PlotMode::kDensity) return {};
  if (mode == PlotMode::kEnergy)
    return cumulativeEnergy(preview.sigma, preview.frobenius * preview.frobenius);
  return overIndices(preview.sigma, preview.sigma.size());
}

DensityBins binsFor(std::span<const SpectrumReport* const> reports) {
  DensityBins bins{.low = 0, .high = 0, .bins = 0};
  for (const SpectrumReport* report : reports) {
    const std::vector<double>& sigma = report->spectrum.sigma;
    if (sigma.empty()) continue;
    double high = 1.05 * sigma[sigma.size() / 100];  // all but the largest hundredth
    if (report->noise) high = std::max(high, 1.15 * report->noise->upper_sigma);
    bins.high = std::max(bins.high, std::min(high, sigma.front() * 1.02));
    bins.bins = std::max(bins.bins, std::size_t(2 * std::sqrt(double(sigma.size()))));
  }
  if (!(bins.high > 0)) bins.high = 1;
  bins.bins = std::clamp<std::size_t>(bins.bins, 16, 96);
  return bins;
}

Curve densityOf(const SpectrumReport& report, const DensityBins& bins) {
  std::vector<double> counts(bins.bins);
  const std::vector<double>& sigma = report.spectrum.sigma;
  for (const double s : sigma) {
    const double at = (s - bins.low) / bins.width();
    if (at >= 0 && at <= double(bins.bins)) counts[std::min(std::size_t(at), bins.bins - 1)] += 1;
  }
  Curve curve;
  for (std::size_t bin = 0; bin < bins.bins; ++bin)
    for (const std::size_t edge : {bin, bin + 1}) {
      curve.x.push_back(bins.low + bins.width() * double(edge));
      curve.y.push_back(counts[bin] / (double(std::max<std::size_t>(sigma.size(), 1)) * bins.width()));
    }
  curve.certain = curve.x.size();
  return curve;
}

std::size_t valuesBeyond(const SpectrumReport& report, const DensityBins& bins) {
  return std::size_t(std::ranges::count_if(report.spectrum.sigma, [&](double s) { return s > bins.high; }));
}

Curve noiseDensityOf(const SpectrumReport& report, const DensityBins& bins) {
  if (!report.noise) return {};
  const MarchenkoPasturFit& fit = *report.noise;
  const double bulk = 1 - double(fit.spikes) / double(std::max<std::size_t>(fit.short_side, 1));
  constexpr std::size_t kSteps = 240;
  Curve curve;
  for (std::size_t i = 0; i <= kSteps; ++i) {
    curve.x.push_back(bins.low + (bins.high - bins.low) * double(i) / kSteps);
    curve.y.push_back(bulk * fit.sigmaDensity(curve.x.back()));
  }
  // A square matrix's law has a finite density at 0 that the formula does not reach.
  if (!std::isfinite(curve.y.front()) || curve.x.front() == 0) curve.y.front() = curve.y[1];
  curve.certain = curve.x.size();
  return curve;
}

PlotScales scalesFor(std::span<const Curve> curves, PlotMode mode) {
  PlotScales scales;
  double x = 0, top = 0, least = HUGE_VAL;
  for (const Curve& curve : curves)
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      x = std::max(x, curve.x[i]);
      top = std::max(top, curve.y[i]);
      if (i < curve.certain && curve.y[i] > 0) least = std::min(least, curve.y[i]);
    }
  scales.x.high = x > 0 ? x : 1;
  scales.y.high = top > 0 ? top * kHeadroom : 1;
  if (mode == PlotMode::kEnergy) scales.y.high = 1;
  if (mode != PlotMode::kLog) return scales;
  scales.y.kind = AxisScale::kLog;
  scales.y.high = top > 0 ? top * 1.25 : 1;
  scales.y.low = std::clamp(least / 1.25, scales.y.high * std::pow(10, -kMostDecades), scales.y.high / 10);
  return scales;
}

std::vector<float> sparkline(std::span<const double> sigma, std::size_t count, double decades) {
  std::vector<float> heights;
  if (sigma.empty() || !(sigma.front() > 0)) return heights;
  for (const std::size_t i : thinned(sigma.size(), count)) {
    const double down = sigma[i] > 0 ? std::log10(sigma.front() / sigma[i]) / decades : 1;
    heights.push_back(float(1 - std::clamp(down, 0.0, 1.0)));
  }
  return heights;
}

std::vector<std::size_t> thinned(std::size_t size, std::size_t points) {
  std::vector<std::size_t> indices;
  if (size == 0) return indices;
  const std::size_t count = std::clamp<std::size_t>(points, 1, size);
  for (std::size_t i = 0; i < count; ++i) indices.push_back(count == 1 ? 0 : i * (size - 1) / (count - 1));
  return indices;
}

}  // namespace vitrine::core
