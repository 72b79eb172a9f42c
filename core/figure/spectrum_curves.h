// What the spectrum plot draws of a matrix, as numbers. Pure arithmetic, no drawing.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/figure/value_scale.h"
#include "core/spectra/spectrum_preview.h"
#include "core/spectra/spectrum_report.h"

namespace vitrine::core {

enum class PlotMode { kLog, kLinear, kEnergy, kDensity };
inline constexpr std::array kPlotModes = {PlotMode::kLog, PlotMode::kLinear, PlotMode::kEnergy,
                                          PlotMode::kDensity};
std::string_view name(PlotMode mode);      // "log", "linear", "energy", "density"
std::string_view title(PlotMode mode);     // "Singular values", "Cumulative energy"
std::string_view quantity(PlotMode mode);  // of the y axis
std::string_view places(PlotMode mode);    // of the x axis: "index", "singular value"

// x, y in the axes' units: index (from 0) and value or energy, or value and density. `certain` of them, the
// first ones, stand above the floor; the others are known to be small, not how small.
struct Curve {
  std::vector<double> x, y;
  std::size_t certain = 0;
};
Curve curveOf(const SpectrumReport& report, PlotMode mode);
// Of the values that a preview has; empty as a density, which takes all of them.
Curve curveOf(const SpectrumPreview& preview, PlotMode mode);

// Densities share their bins, so that curves can be compared: `bins` from `low` to `high`, which leaves out
// what lies far above the bulk.
struct DensityBins {
  double low = 0, high = 1;
  std::size_t bins = 40;
  double width() const { return (high - low) / double(bins); }
};
DensityBins binsFor(std::span<const SpectrumReport* const> reports);
// The outline of the histogram, two points a bin; the share of all values a unit of sigma.
Curve densityOf(const SpectrumReport& report, const DensityBins& bins);
std::size_t valuesBeyond(const SpectrumReport& report, const DensityBins& bins);
// The law of noise over those bins, weighed with the bulk's share of the values; empty without a fit.
Curve noiseDensityOf(const SpectrumReport& report, const DensityBins& bins);

// The axes that hold all curves.
struct PlotScales {
  ValueScale x, y;
};
PlotScales scalesFor(std::span<const Curve> curves, PlotMode mode);

// `count` heights from 0 to 1 of log sigma from its largest down by at most `decades`: a table's thumbnail.
std::vector<float> sparkline(std::span<const double> sigma, std::size_t count, double decades = 3);

// At most about `points` of the curve's indices, evenly over x, ends included.
std::vector<std::size_t> thinned(std::size_t size, std::size_t points);

}  // namespace vitrine::core
