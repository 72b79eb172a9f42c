// Figures of what a comparison shows: maps by core/figure/comparison_figures.h, spectra and profile as of
// weights.
#include "core/figure/comparison_figures.h"

#include "gpu/log.h"
#include "ui/views/spectra/spectra_figures.h"

namespace vitrine::ui::spectra {
namespace {

bool ofAllRows(ComparisonFigure content) {
  return content >= ComparisonFigure::kAllIntruders;
}

std::string_view coreName(ComparisonFigure content) {
  switch (content) {
    case ComparisonFigure::kPhi:
    case ComparisonFigure::kAllPhi:
      return "phi";
    case ComparisonFigure::kChange:
    case ComparisonFigure::kAllChange:
      return "delta";
    default:
      return "intruders";
  }
}

// Of several matrices those with a layer: the others have no place among small multiples.
core::ComparedTune tuneOf(const SpectraState& state, bool all_rows, const std::string& name) {
  std::vector<std::size_t> rows;
  if (all_rows)
    rows = state.order();
  else
    for (const Series& series : state.selection().series()) rows.push_back(series.matrix);
  std::ranges::sort(rows);
  core::ComparedTune tune{.name = name, .matrices = {}};
  for (const std::size_t row : rows)
    if (const core::MatrixComparison* comparison = state.comparisonOf(row);
        comparison && (rows.size() == 1 || state.places()[row].layer))
      tune.matrices.push_back(*comparison);
  return tune;
}

}  // namespace

std::optional<ViewFigure> figureOf(const SpectraState& state, ComparisonFigure content,
                                   const FigureNames& names) {
  if (content == ComparisonFigure::kSpectrum) return figureOf(state, FigureContent::kSpectrum, names.tuned);
  if (content == ComparisonFigure::kProfile) return figureOf(state, FigureContent::kProfile, names.tuned);
  const core::ComparedTune tune = tuneOf(state, ofAllRows(content), names.tuned);
  if (tune.matrices.empty()) return std::nullopt;
  const IntruderRule rule = state.rule();
  auto figure = core::comparisonFigure(
      coreName(content), std::span(&tune, 1),
      {.base = names.base, .colormap = names.colormap, .epsilon = rule.epsilon, .first = rule.first});
  if (!figure) {
    logWarning(fmt::format("figure of a comparison: {}", figure.error().describe()));
    return std::nullopt;
  }
  ViewFigure made;
  made.figure = std::move(*figure);
  made.base_name = fileNameOf(tune.matrices.size() == 1
                                  ? fmt::format("{}-{}", coreName(content), shortName(tune.matrices[0].name))
                                  : fmt::format("{}-{}", coreName(content), tune.name));
  made.parameters.emplace_back("base", names.base);
  made.parameters.emplace_back("fine-tune", names.tuned);
  made.parameters.emplace_back("k", std::to_string(rule.first));
  made.parameters.emplace_back("epsilon", fmt::format("{}", rule.epsilon));
  if (!state.glob().empty()) made.parameters.emplace_back("filter", state.glob());
  made.parameters.emplace_back("solver", state.snapshot().solver);
  return made;
}

}  // namespace vitrine::ui::spectra
