#include "ui/views/spectra/spectra_figures.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/profile_plot.h"

namespace vitrine::ui::spectra {
namespace {

using Reports = std::vector<std::shared_ptr<const core::SpectrumReport>>;

Reports selectedReports(const SpectraState& state) {
  Reports reports;
  for (const Series& series : state.selection().series())
    if (auto report = state.reportOf(series.matrix)) reports.push_back(std::move(report));
  return reports;
}

// Lines of hundreds of points: told apart by dashes, not by markers.
core::SeriesStyle lineStyle(std::size_t number) {
  core::SeriesStyle style = core::seriesStyle(number);
  style.marker = core::Marker::kNone;
  return style;
}

core::LineSeries seriesOf(const std::string& label, Curve curve, std::size_t number) {
  curve.x.resize(curve.certain);
  curve.y.resize(curve.certain);
  return {.label = label, .x = std::move(curve.x), .y = std::move(curve.y), .style = lineStyle(number)};
}

core::Panel spectrumPanel(const Reports& reports, PlotMode mode) {
  core::Panel panel;
  panel.x.label = places(mode);
  panel.y.label = quantity(mode);
  panel.x.minimum = 0;
  if (mode == PlotMode::kLog) panel.y.scale = core::AxisScale::kLog;
  if (mode == PlotMode::kEnergy) panel.y.minimum = 0, panel.y.maximum = 1;
  std::vector<const core::SpectrumReport*> all;
  for (const auto& report : reports) all.push_back(report.get());
  const DensityBins bins = binsFor(all);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    Curve curve = mode == PlotMode::kDensity ? densityOf(*reports[i], bins) : curveOf(*reports[i], mode);
    panel.lines.push_back(seriesOf(shortName(reports[i]->name), std::move(curve), i));
  }
  const auto& noise = reports.front()->noise;
  if (mode == PlotMode::kDensity && noise) {
    panel.lines.push_back(
        seriesOf("Marchenko–Pastur", noiseDensityOf(*reports.front(), bins), reports.size()));
  } else if (noise && mode != PlotMode::kEnergy) {
    panel.annotations.push_back(
        {.kind = core::AnnotationKind::kHorizontalLine,
         .at = {0, noise->upper_sigma},
         .text = fmt::format("MP edge of {}, {} spikes", shortName(reports.front()->name), noise->spikes)});
  }
  return panel;
}

// Where a layer has several matrices (experts) their mean, with a band from the least to the most.
core::LineSeries profileLine(const ProfileSeries& series) {
  core::LineSeries line{.label = series.kind, .style = core::seriesStyle(series.number)};
  for (std::size_t i = 0; i < series.points.size();) {
    const std::uint32_t layer = series.points[i].layer;
    double sum = 0, count = 0, low = series.points[i].value, high = low;
    for (; i < series.points.size() && series.points[i].layer == layer; ++i, ++count) {
      sum += series.points[i].value;
      low = std::min(low, series.points[i].value);
      high = std::max(high, series.points[i].value);
    }
    line.x.push_back(layer);
    line.y.push_back(sum / count);
    line.low.push_back(low);
    line.high.push_back(high);
  }
  if (line.x.size() == series.points.size()) line.low = line.high = {};
  return line;
}

core::Panel profilePanel(const LayerProfile& profile, Metric metric) {
  core::Panel panel;
  panel.x.label = "layer";
  panel.y.label = name(metric);
  const core::ValueScale scale = profileScale(profile.low, profile.high);
  panel.y.scale = scale.kind;
  if (scale.kind == core::AxisScale::kLinear) panel.y.minimum = scale.low;
  for (const ProfileSeries& series : profile.series) {
    panel.lines.push_back(profileLine(series));
  }
  return panel;
}

void summarize(core::Figure& figure, const Reports& reports) {
  for (const auto& report : reports)
    for (const Metric metric : {Metric::kSigma1, Metric::kStableRank, Metric::kEffectiveRank, Metric::kAlpha})
      if (const double value = valueOf(*report, metric); std::isfinite(value))
        figure.summary.push_back({fmt::format("{}, {}", shortName(report->name), name(metric)), value, ""});
  figure.summary_caption = "Numbers of the spectra.";
}

std::string fileNameOf(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '/' || c == ' ' || c == '*'; }, '-');
  return text;
}

}  // namespace

std::optional<ViewFigure> figureOf(const SpectraState& state, FigureContent content,
                                   const std::string& model) {
  const Reports reports = selectedReports(state);
  const bool spectrum = content != FigureContent::kProfile && !reports.empty();
  const bool profile = content != FigureContent::kSpectrum && !state.profile().empty();
  if (!spectrum && !profile) return std::nullopt;
  ViewFigure made;
  core::Figure& figure = made.figure;
  const std::string of = model.empty() ? "" : " of " + model;
  std::string names;
  if (spectrum) {
    figure.panels.push_back(spectrumPanel(reports, state.mode()));
    for (const auto& report : reports) names += (names.empty() ? "" : ", ") + report->name;
    figure.caption = fmt::format("{} of {}{}; values that cannot be told from 0 are left out.",
                                 title(state.mode()), names, of);
    summarize(figure, reports);
    made.parameters.emplace_back("tensors", names);
    made.parameters.emplace_back("quantity", std::string(name(state.mode())));
  }
  if (profile) {
    const std::string metric(name(state.profileMetric()));
    figure.panels.push_back(profilePanel(state.profile(), state.profileMetric()));
    figure.caption += fmt::format("{}Layer by layer: {} ({}){}.", figure.caption.empty() ? "" : " ", metric,
                                  formula(state.profileMetric()), of);
    made.parameters.emplace_back("metric", metric);
    if (!state.glob().empty()) made.parameters.emplace_back("filter", state.glob());
  }
  figure.name = spectrum ? "spectrum" : "layer-profile";
  made.base_name = fileNameOf(spectrum ? "spectrum-" + shortName(reports.front()->name)
                                       : fmt::format("layer-profile-{}", name(state.profileMetric())));
  made.parameters.emplace_back("solver", state.snapshot().solver);
  return made;
}

}  // namespace vitrine::ui::spectra
