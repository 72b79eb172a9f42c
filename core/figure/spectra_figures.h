// Figures of spectra: the values of matrices over their index, and one number of each over the layers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"
#include "core/figure/spectrum_curves.h"
#include "core/spectra/spectrum_report.h"

namespace vitrine::core {

// A spectrum as a line, and another one dotted beside it in its colour: of its base, of its shuffled
// elements.
struct DrawnSpectrum {
  std::string label;
  const SpectrumReport* report = nullptr;
  const SpectrumReport* beside = nullptr;  // or null
  std::string beside_label = {};           // "shuffled"
};
// Over their index from 0, or as `mode` says; what lies at or under the floor is left out. With the edge of
// the first one's noise where that was fitted. At least one.
Panel spectrumPanel(std::span<const DrawnSpectrum> spectra, PlotMode mode);

struct LayerValue {
  std::uint32_t layer = 0;
  double value = 0;
};
// The values of one layer; `values` are sorted by layer.
struct LayerSpan {
  std::uint32_t layer = 0;
  double low = 0, mean = 0, high = 0;
};
std::vector<LayerSpan> layerSpans(std::span<const LayerValue> values);
// Where a layer has several values (experts, heads) their mean, with a band from the least to the most.
LineSeries layerLine(std::string label, std::span<const LayerValue> values, std::size_t style);

inline constexpr std::size_t kMostSpectra = 14;  // lines that two rounds of colours and dashes keep apart

// Singular values, logarithmic, those of shuffled elements beside them where a report has them. `model`:
// named in the caption. kInvalidArgument for no report or more than kMostSpectra.
Result<Figure> spectrumFigure(std::span<const SpectrumReport> reports, const std::string& model);

// "stable_rank", "effective_rank", "participation", "nuclear", "frobenius", "s1", "condition", "alpha".
std::span<const std::string_view> profileMetrics();

// A line for each kind of matrix; matrices without a layer in their names are left out. kInvalidArgument for
// another metric, for no matrix with a layer, and for more than kMostSpectra kinds.
Result<Figure> profileFigure(std::span<const SpectrumReport> reports, std::string_view metric,
                             const std::string& model);

}  // namespace vitrine::core
