#include "core/methods/support/tune_panels.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/spectra/layer_name.h"

namespace vitrine::core::methods {

Result<Panel> mapsOfMatrices(const std::vector<std::string>& names, const std::vector<SquareMap>& maps,
                             const MapStyle& style) {
  if (std::ranges::none_of(names, [](const std::string& name) { return layerNameOf(name).has_value(); }))
    return mapPanel({names[0]}, {maps[0]}, style);
  return mapPanel(names, maps, style);
}

LineSeries plainLine(std::string label, std::vector<double> x, std::vector<double> y, std::size_t index) {
  LineSeries line{.label = std::move(label), .x = std::move(x), .y = std::move(y)};
  line.style = seriesStyle(index);
  line.style->marker = Marker::kNone;
  return line;
}

std::vector<std::string> kindsOf(std::span<const std::string> names) {
  std::vector<std::string> kinds, all;
  for (const std::string& name : names) {
    const auto layer = layerNameOf(name);
    all.push_back(layer ? layer->kind : name);
    if (std::ranges::find(kinds, all.back()) == kinds.end()) kinds.push_back(all.back());
  }
  const std::vector<std::string> labels = shortLabels(kinds);
  for (std::string& kind : all)
    kind = labels[static_cast<std::size_t>(std::ranges::find(kinds, kind) - kinds.begin())];
  return all;
}

double meanOf(std::span<const double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> logarithmicSteps(double from, double to, std::size_t count) {
  std::vector<double> steps;
  for (std::size_t i = 0; i < count; ++i)
    steps.push_back(from * std::pow(to / from, static_cast<double>(i) / static_cast<double>(count - 1)));
  return steps;
}

}  // namespace vitrine::core::methods
