#include "ui/views/spectra/spectra_figures.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/profile_plot.h"

namespace vitrine::ui::spectra {
namespace {

using Report = std::shared_ptr<const core::SpectrumReport>;
struct Drawn {
  Report report, companion;  // the base's or the null's, or null
};
using Reports = std::vector<Drawn>;

Reports selectedReports(const SpectraState& state) {
  Reports reports;
  for (const Series& series : state.selection().series())
    if (auto report = state.reportOf(series.matrix))
      reports.push_back({std::move(report), state.companionOf(series.matrix)});
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

core::Panel spectrumPanel(const Reports& reports, PlotMode mode, const std::string& companion) {
  core::Panel panel;
  panel.x.label = places(mode);
  panel.y.label = quantity(mode);
  panel.x.minimum = 0;
  if (mode == PlotMode::kLog) panel.y.scale = core::AxisScale::kLog;
  if (mode == PlotMode::kEnergy) panel.y.minimum = 0, panel.y.maximum = 1;
  std::vector<const core::SpectrumReport*> all;
  for (const Drawn& drawn : reports) all.push_back(drawn.report.get());
  const DensityBins bins = binsFor(all);
  const auto curve = [&](const core::SpectrumReport& report) {
    return mode == PlotMode::kDensity ? densityOf(report, bins) : curveOf(report, mode);
  };
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const std::string label = shortName(reports[i].report->name);
    panel.lines.push_back(seriesOf(label, curve(*reports[i].report), i));
    if (!reports[i].companion) continue;
    panel.lines.back().style->dash = {};
    panel.lines.push_back(seriesOf(label + ", " + companion, curve(*reports[i].companion), i));
    panel.lines.back().style->dash = {1, 1.5};
  }
  const core::SpectrumReport& first = *reports.front().report;
  const auto& noise = first.noise;
  if (mode == PlotMode::kDensity && noise) {
    panel.lines.push_back(seriesOf("Marchenko–Pastur", noiseDensityOf(first, bins), reports.size()));
  } else if (noise && mode != PlotMode::kEnergy) {
    panel.annotations.push_back(
        {.kind = core::AnnotationKind::kHorizontalLine,
         .at = {0, noise->upper_sigma},
         .text = fmt::format("MP edge of {}, {} spikes", shortName(first.name), noise->spikes)});
  }
  return panel;
}

// Where a layer has several matrices (experts, heads) their mean, with a band from the least to the most.
core::LineSeries profileLine(const ProfileSeries& series) {
  core::LineSeries line{.label = series.kind, .style = core::seriesStyle(series.number)};
  for (const LayerSpan& span : layerSpans(series)) {
    line.x.push_back(span.layer);
    line.y.push_back(span.mean);
    line.low.push_back(span.low);
    line.high.push_back(span.high);
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
  for (const Drawn& drawn : reports)
    for (const Metric metric : {Metric::kSigma1, Metric::kStableRank, Metric::kEffectiveRank, Metric::kAlpha})
      if (const double value = valueOf(*drawn.report, metric); std::isfinite(value))
        figure.summary.push_back(
            {fmt::format("{}, {}", shortName(drawn.report->name), name(metric)), value, ""});
  figure.summary_caption = "Numbers of the spectra.";
}

}  // namespace

std::string fileNameOf(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '/' || c == ' ' || c == '*'; }, '-');
  return text;
}

QStringList figureNames(Subject subject) {
  if (subject == Subject::kComparison)
    return {QObject::tr("Similarity, intruders"),
            QObject::tr("Subspaces φ"),
            QObject::tr("Change ΔW"),
            QObject::tr("Spectra"),
            QObject::tr("Layer profile"),
            QObject::tr("Similarity, all rows"),
            QObject::tr("Subspaces φ, all rows"),
            QObject::tr("Change ΔW, all rows")};
  return {QObject::tr("Spectrum"), QObject::tr("Layer profile"), QObject::tr("Both")};
}

std::optional<ViewFigure> figureOf(const SpectraState& state, int content, const FigureNames& names) {
  if (state.subject() == Subject::kComparison)
    return figureOf(state, ComparisonFigure(std::clamp(content, 0, int(ComparisonFigure::kAllChange))),
                    names);
  return figureOf(state, FigureContent(std::clamp(content, 0, int(FigureContent::kBoth))), names.model);
}

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
    const bool compares = state.subject() == Subject::kComparison;
    const bool beside =
        std::ranges::any_of(reports, [](const Drawn& drawn) { return drawn.companion != nullptr; });
    figure.panels.push_back(spectrumPanel(reports, state.mode(), compares ? "base" : "shuffled"));
    for (const Drawn& drawn : reports) names += (names.empty() ? "" : ", ") + drawn.report->name;
    figure.caption = fmt::format("{} of {}{}{}; values that cannot be told from 0 are left out.",
                                 title(state.mode()), names, of,
                                 !beside    ? ""
                                 : compares ? ", dotted those of the base"
                                            : ", dotted those of the same elements in random order");
    if (beside && !compares) made.parameters.emplace_back("null", "shuffled elements, seed 0");
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
  made.base_name = fileNameOf(spectrum ? "spectrum-" + shortName(reports.front().report->name)
                                       : fmt::format("layer-profile-{}", name(state.profileMetric())));
  made.parameters.emplace_back("solver", state.snapshot().solver);
  return made;
}

}  // namespace vitrine::ui::spectra
