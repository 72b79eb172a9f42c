#include "core/methods/support/panels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/figure/spectra_figures.h"
#include "core/spectra/layer_name.h"

namespace vitrine::core::methods {

Panel layerProfile(std::span<const std::string> names, std::span<const double> values, Axis axis) {
  std::vector<std::string> kinds;
  std::vector<std::map<std::uint32_t, double>> lines;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto name = layerNameOf(names[i]);
    if (!name) continue;
    const auto at = std::ranges::find(kinds, name->kind) - kinds.begin();
    if (at == std::ssize(kinds)) {
      kinds.push_back(name->kind);
      lines.emplace_back();
    }
    lines[static_cast<std::size_t>(at)][name->layer] = values[i];
  }
  Panel panel;
  panel.x.label = "layer";
  panel.y = std::move(axis);
  const std::vector<std::string> labels = shortLabels(kinds);
  for (std::size_t k = 0; k < std::min(kinds.size(), kMostSpectra); ++k) {
    LineSeries line{.label = labels[k], .x = {}, .y = {}};
    for (const auto& [layer, value] : lines[k]) {
      line.x.push_back(layer);
      line.y.push_back(value);
    }
    panel.lines.push_back(std::move(line));
  }
  return panel;
}

LineSeries medianWithRange(std::string label, std::vector<double> x,
                           std::span<const std::vector<double>> curves) {
  LineSeries line{.label = std::move(label), .x = std::move(x), .y = {}};
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    std::vector<double> here;
    for (const std::vector<double>& curve : curves)
      if (std::isfinite(curve[i])) here.push_back(curve[i]);
    std::ranges::sort(here);
    const double none = std::numeric_limits<double>::quiet_NaN();
    line.low.push_back(here.empty() ? none : here.front());
    line.high.push_back(here.empty() ? none : here.back());
    line.y.push_back(here.empty() ? none : (here[(here.size() - 1) / 2] + here[here.size() / 2]) / 2);
  }
  return line;
}

}  // namespace vitrine::core::methods
