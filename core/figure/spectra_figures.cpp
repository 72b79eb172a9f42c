#include "core/figure/spectra_figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "core/spectra/layer_name.h"

namespace vitrine::core {
namespace {

struct ProfileMetric {
  std::string_view name, label;
  double (*value)(const SpectrumReport& report);
};

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<ProfileMetric, 8> kProfileMetrics = {{
    {"stable_rank", "stable rank", [](const SpectrumReport& r) { return r.metrics.stable_rank; }},
    {"effective_rank", "effective rank", [](const SpectrumReport& r) { return r.metrics.effective_rank; }},
    {"participation", "participation ratio", [](const SpectrumReport& r) { return r.metrics.participation; }},
    {"nuclear", "nuclear norm", [](const SpectrumReport& r) { return r.metrics.nuclear; }},
    {"frobenius", "Frobenius norm", [](const SpectrumReport& r) { return r.metrics.frobenius; }},
    {"s1", "largest singular value", [](const SpectrumReport& r) { return r.metrics.s1; }},
    {"condition", "condition number", [](const SpectrumReport& r) { return r.metrics.condition; }},
    {"alpha", "power-law exponent alpha",
     [](const SpectrumReport& r) { return r.power_law ? r.power_law->alpha : kUndefined; }},
}};

std::string ofModel(const std::string& model) {
  return model.empty() ? "" : " of " + model;
}

Result<void> requireFew(std::size_t lines, std::string_view what) {
  if (lines == 0) return fail(ErrorCode::kInvalidArgument, "no {} to draw", what);
  if (lines <= kMostSpectra) return {};
  return fail(ErrorCode::kInvalidArgument,
              "{} {} are more lines than the {} that a figure keeps apart: choose by --tensors", lines, what,
              kMostSpectra);
}

// Names with a layer as "q_proj, layer 3"; others as they are.
std::vector<std::string> spectrumLabels(std::span<const SpectrumReport> reports) {
  std::vector<std::string> kinds, labels;
  for (const SpectrumReport& report : reports)
    if (const auto name = layerNameOf(report.name);
        name && std::ranges::find(kinds, name->kind) == kinds.end())
      kinds.push_back(name->kind);
  const std::vector<std::string> shorter = shortLabels(kinds);
  for (const SpectrumReport& report : reports) {
    const auto name = layerNameOf(report.name);
    labels.push_back(report.name);
    if (!name) continue;
    const auto at = static_cast<std::size_t>(std::ranges::find(kinds, name->kind) - kinds.begin());
    labels.back() = kinds.size() == 1 ? fmt::format("layer {}", name->layer)
                                      : fmt::format("{}, layer {}", shorter[at], name->layer);
  }
  return labels;
}

LineSeries shuffledLine(const SpectrumReport& report, const std::string& label, std::size_t colour) {
  LineSeries line{.label = label + ", shuffled", .x = {}, .y = {}};
  for (std::size_t k = 0; k < report.shuffled.size(); ++k) {
    if (report.shuffled[k] <= gramFloor(report.shuffled[0])) break;
    line.x.push_back(static_cast<double>(k + 1));
    line.y.push_back(report.shuffled[k]);
  }
  line.style = seriesStyle(colour);
  line.style->marker = Marker::kNone;
  line.style->dash = {1.5, 1.5};
  return line;
}

}  // namespace

Result<Figure> spectrumFigure(std::span<const SpectrumReport> reports, const std::string& model) {
  TRY(requireFew(reports.size(), "spectra"));
  Figure figure{.name = "spectrum", .caption = {}, .panels = {}, .summary = {}, .summary_caption = {}};
  Panel panel;
  panel.x.label = "index";
  panel.y.label = "singular value";
  panel.y.scale = AxisScale::kLog;
  const std::vector<std::string> labels = spectrumLabels(reports);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const Spectrum& spectrum = reports[i].spectrum;
    LineSeries line{.label = labels[i], .x = {}, .y = {}};
    for (std::size_t k = 0; k < spectrum.sigma.size() && spectrum.sigma[k] > spectrum.floor; ++k) {
      line.x.push_back(static_cast<double>(k + 1));
      line.y.push_back(spectrum.sigma[k]);
    }
    line.style = seriesStyle(i);
    line.style->marker = Marker::kNone;
    panel.lines.push_back(std::move(line));
    if (!reports[i].shuffled.empty()) {
      panel.lines.back().style->dash = {};
      panel.lines.push_back(shuffledLine(reports[i], labels[i], i));
    }
    figure.summary.push_back({labels[i] + ": stable rank", reports[i].metrics.stable_rank, ""});
  }
  figure.panels.push_back(std::move(panel));
  figure.caption = fmt::format("Singular values{}, largest first{}.", ofModel(model),
                               reports.size() == 1 ? ": " + reports[0].name : "");
  return figure;
}

std::span<const std::string_view> profileMetrics() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const ProfileMetric& metric : kProfileMetrics) names.push_back(metric.name);
    return names;
  }();
  return kNames;
}

Result<Figure> profileFigure(std::span<const SpectrumReport> reports, std::string_view metric,
                             const std::string& model) {
  const auto* const found = std::ranges::find(kProfileMetrics, metric, &ProfileMetric::name);
  if (found == kProfileMetrics.end())
    return fail(ErrorCode::kInvalidArgument, "metric \"{}\" does not exist; choose one of {}", metric,
                fmt::join(profileMetrics(), ", "));
  std::map<std::string, std::map<std::uint32_t, double>> kinds;
  for (const SpectrumReport& report : reports)
    if (const auto name = layerNameOf(report.name)) kinds[name->kind][name->layer] = found->value(report);
  TRY(requireFew(kinds.size(), "kinds of matrices with a layer"));
  Figure figure{.name = "profile", .caption = {}, .panels = {}, .summary = {}, .summary_caption = {}};
  std::vector<std::string> names;
  for (const auto& [kind, values] : kinds) names.push_back(kind);
  const std::vector<std::string> labels = shortLabels(names);
  Panel panel;
  panel.x.label = "layer";
  panel.y.label = found->label;
  if (metric == "condition") panel.y.scale = AxisScale::kLog;
  for (std::size_t i = 0; i < names.size(); ++i) {
    LineSeries line{.label = labels[i], .x = {}, .y = {}};
    for (const auto& [layer, value] : kinds[names[i]]) {
      line.x.push_back(layer);
      line.y.push_back(std::isfinite(value) ? value : kUndefined);
    }
    panel.lines.push_back(std::move(line));
  }
  figure.panels.push_back(std::move(panel));
  figure.caption = fmt::format("The {} of each matrix{} over the layers.", found->label, ofModel(model));
  return figure;
}

}  // namespace vitrine::core
