#include "core/figure/spectra_figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "core/figure/series_style.h"
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

// Lines of hundreds of points: told apart by colours and dashes, not by markers.
LineSeries curveLine(std::string label, Curve curve, std::size_t style) {
  curve.x.resize(curve.certain);
  curve.y.resize(curve.certain);
  LineSeries line{.label = std::move(label), .x = std::move(curve.x), .y = std::move(curve.y)};
  line.style = seriesStyle(style);
  line.style->marker = Marker::kNone;
  return line;
}

// The values alone.
SpectrumReport shuffledReport(const SpectrumReport& report) {
  SpectrumReport shuffled{.name = report.name, .dtype = {}, .spectrum = {}};
  shuffled.spectrum.sigma = report.shuffled;
  shuffled.spectrum.floor = gramFloor(report.shuffled.front());
  return shuffled;
}

}  // namespace

Panel spectrumPanel(std::span<const DrawnSpectrum> spectra, PlotMode mode) {
  Panel panel;
  panel.x.label = places(mode);
  panel.y.label = quantity(mode);
  panel.x.minimum = 0;
  if (mode == PlotMode::kLog) panel.y.scale = AxisScale::kLog;
  if (mode == PlotMode::kEnergy) panel.y.minimum = 0, panel.y.maximum = 1;
  std::vector<const SpectrumReport*> all;
  for (const DrawnSpectrum& drawn : spectra) all.push_back(drawn.report);
  const DensityBins bins = binsFor(all);
  const auto curve = [&](const SpectrumReport& report) {
    return mode == PlotMode::kDensity ? densityOf(report, bins) : curveOf(report, mode);
  };
  for (std::size_t i = 0; i < spectra.size(); ++i) {
    const DrawnSpectrum& drawn = spectra[i];
    panel.lines.push_back(curveLine(drawn.label, curve(*drawn.report), i));
    if (!drawn.beside) continue;
    panel.lines.back().style->dash = {};
    panel.lines.push_back(curveLine(drawn.label + ", " + drawn.beside_label, curve(*drawn.beside), i));
    panel.lines.back().style->dash = {1.5, 1.5};
  }
  const auto& noise = spectra.front().report->noise;
  if (mode == PlotMode::kDensity && noise)
    panel.lines.push_back(
        curveLine("Marchenko–Pastur", noiseDensityOf(*spectra.front().report, bins), spectra.size()));
  else if (noise && mode != PlotMode::kEnergy)
    panel.annotations.push_back(
        {.kind = AnnotationKind::kHorizontalLine,
         .at = {0, noise->upper_sigma},
         .text = fmt::format("MP edge of {}, {} spikes", spectra.front().label, noise->spikes)});
  return panel;
}

std::vector<LayerSpan> layerSpans(std::span<const LayerValue> values) {
  std::vector<LayerSpan> spans;
  for (std::size_t i = 0; i < values.size();) {
    LayerSpan span{values[i].layer, values[i].value, 0, values[i].value};
    double sum = 0, count = 0;
    for (; i < values.size() && values[i].layer == span.layer; ++i, ++count) {
      sum += values[i].value;
      span.low = std::min(span.low, values[i].value);
      span.high = std::max(span.high, values[i].value);
    }
    span.mean = sum / count;
    spans.push_back(span);
  }
  return spans;
}

LineSeries layerLine(std::string label, std::span<const LayerValue> values, std::size_t style) {
  LineSeries line{.label = std::move(label), .x = {}, .y = {}};
  line.style = seriesStyle(style);
  for (const LayerSpan& span : layerSpans(values)) {
    line.x.push_back(span.layer);
    line.y.push_back(std::isfinite(span.mean) ? span.mean : kUndefined);
    line.low.push_back(span.low);
    line.high.push_back(span.high);
  }
  if (line.x.size() == values.size()) line.low = line.high = {};
  return line;
}

Result<Figure> spectrumFigure(std::span<const SpectrumReport> reports, const std::string& model) {
  TRY(requireFew(reports.size(), "spectra"));
  Figure figure{.name = "spectrum", .caption = {}, .panels = {}, .summary = {}, .summary_caption = {}};
  const std::vector<std::string> labels = spectrumLabels(reports);
  std::vector<SpectrumReport> shuffled(reports.size());
  std::vector<DrawnSpectrum> drawn;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    drawn.push_back({.label = labels[i], .report = &reports[i]});
    figure.summary.push_back({labels[i] + ": stable rank", reports[i].metrics.stable_rank, ""});
    if (reports[i].shuffled.empty()) continue;
    shuffled[i] = shuffledReport(reports[i]);
    drawn.back().beside = &shuffled[i];
    drawn.back().beside_label = "shuffled";
  }
  figure.panels.push_back(spectrumPanel(drawn, PlotMode::kLog));
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
  std::map<std::string, std::vector<LayerValue>> kinds;
  for (const SpectrumReport& report : reports)
    if (const auto name = layerNameOf(report.name))
      kinds[name->kind].push_back({name->layer, found->value(report)});
  for (auto& [kind, values] : kinds) std::ranges::stable_sort(values, {}, &LayerValue::layer);
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
    panel.lines.push_back(layerLine(labels[i], kinds[names[i]], i));
  }
  figure.panels.push_back(std::move(panel));
  figure.caption = fmt::format("The {} of each matrix{} over the layers.", found->label, ofModel(model));
  return figure;
}

}  // namespace vitrine::core
