#include "ui/views/spectra/spectra_figures.h"

#include "core/figure/spectra_figures.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/head_graph_facts.h"
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

core::Panel panelOf(const Reports& reports, core::PlotMode mode, const std::string& companion) {
  std::vector<core::DrawnSpectrum> drawn;
  for (const Drawn& one : reports)
    drawn.push_back({.label = shortName(one.report->name),
                     .report = one.report.get(),
                     .beside = one.companion.get(),
                     .beside_label = companion});
  return core::spectrumPanel(drawn, mode);
}

core::Panel profilePanel(const LayerProfile& profile, Metric metric) {
  core::Panel panel;
  panel.x.label = "layer";
  panel.y.label = name(metric);
  const core::ValueScale scale = profileScale(profile.low, profile.high);
  panel.y.scale = scale.kind;
  if (scale.kind == core::AxisScale::kLinear) panel.y.minimum = scale.low;
  for (const ProfileSeries& series : profile.series)
    if (const auto values = exactValuesOf(series); !values.empty())
      panel.lines.push_back(core::layerLine(series.kind, values, series.number));
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
  if (subject == Subject::kHeadGraph) return headGraphFigureNames();
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
  if (state.subject() == Subject::kHeadGraph)
    return headGraphFigure(state.graph(), HeadGraphFigure(std::clamp(content, 0, 1)), names.model);
  if (state.subject() == Subject::kComparison)
    return figureOf(state, ComparisonFigure(std::clamp(content, 0, int(ComparisonFigure::kAllChange))),
                    names);
  return figureOf(state, FigureContent(std::clamp(content, 0, int(FigureContent::kBoth))), names.model);
}

std::optional<ViewFigure> figureOf(const SpectraState& state, FigureContent content,
                                   const std::string& model) {
  const Reports reports = selectedReports(state);
  const bool spectrum = content != FigureContent::kProfile && !reports.empty();
  const bool profile = content != FigureContent::kSpectrum &&
                       std::ranges::any_of(state.profile().series, [](const ProfileSeries& series) {
                         return !exactValuesOf(series).empty();  // no figure is of previews
                       });
  if (!spectrum && !profile) return std::nullopt;
  ViewFigure made;
  core::Figure& figure = made.figure;
  const std::string of = model.empty() ? "" : " of " + model;
  std::string names;
  if (spectrum) {
    const bool compares = state.subject() == Subject::kComparison;
    const bool beside =
        std::ranges::any_of(reports, [](const Drawn& drawn) { return drawn.companion != nullptr; });
    figure.panels.push_back(panelOf(reports, state.mode(), compares ? "base" : "shuffled"));
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
