// Singular-value adaptation: which part of a fine-tune only stretches its base's directions.
#include <algorithm>
#include <cmath>

#include "core/methods/support/panels.h"
#include "core/methods/support/tune_panels.h"
#include "core/methods/support/tuned_matrices.h"
#include "core/spectra/base_coordinates.h"

namespace vitrine::core::methods::clip_svd {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "bars",
     .fallback = 32,
     .least = 1,
     .most = 256,
     .unit = "",
     .help = "strongest singular values of each matrix whose shift is drawn"},
};

struct Found {
  std::string name;
  SingularValueShift shift;
  double relative_change = 0;  // ||dW|| / ||W||
};
using Tunes = std::vector<std::vector<Found>>;

// ds_i / s_i; NaN where s_i is rounding.
double relativeShift(const SingularValueShift& shift, Eigen::Index i) {
  if (i >= shift.sigma.size() || !(shift.sigma[i] > 1e-12 * shift.sigma[0])) return std::nan("");
  return shift.shift[i] / shift.sigma[i];
}

Result<Found> look(const TunedPair& pair) {
  const Eigen::MatrixXd change = pair.tuned - pair.base;
  const double norm = pair.base.norm();
  return Found{.name = pair.name,
               .shift = singularValueShift(pair.svd, change),
               .relative_change = norm > 0 ? change.norm() / norm : std::nan("")};
}

double unexplained(const Found& found) {
  return found.relative_change == 0 ? std::nan("") : found.shift.unexplained;
}

Table tableOf(const AnalysisInput& input, const Tunes& tunes) {
  Table table{
      .title = "Fine-tunes as shifts of singular values",
      .columns = {{"fine-tune", "", ""},
                  {"tensor", "", ""},
                  {"|dW| / |W|", "", "Frobenius"},
                  {"off-diagonal", "",
                   "||M - diag(M)|| / ||M||, M = U^T W' V: 0 for pure singular-value adaptation"},
                  {"unexplained", "", "||dW - U diag(ds) V^T|| / ||dW||: 1 where no shift of values helps"},
                  {"ds1 / s1", "", "of the strongest direction"},
                  {"largest |ds| / s1", "", ""},
                  {"sum ds / sum s", "", "growth of the diagonal"}},
      .rows = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t)
    for (const Found& found : tunes[t]) {
      const SingularValueShift& s = found.shift;
      const double s1 = s.sigma[0] > 0 ? s.sigma[0] : std::nan("");
      table.rows.push_back({input.tunes[t].name, found.name, found.relative_change, s.off_diagonal,
                            unexplained(found), relativeShift(s, 0), s.shift.cwiseAbs().maxCoeff() / s1,
                            s.shift.sum() / (s1 > 0 ? s.sigma.sum() : std::nan(""))});
    }
  return table;
}

// The matrix whose change the shift explains best, of the first fine-tune: the same one for all.
std::string drawnMatrix(const Tunes& tunes) {
  const auto best = std::ranges::min_element(tunes[0], {}, [](const Found& found) {
    const double value = unexplained(found);
    return std::isfinite(value) ? value : 2;
  });
  return best->name;
}

Panel barPanel(const AnalysisInput& input, const Tunes& tunes, const std::string& name, std::size_t bars) {
  Panel panel;
  panel.title = name;
  panel.x = {.label = "singular value i"};
  panel.x.category_font = FontRole::kSans;
  panel.y.label = "dsᵢ / sᵢ";
  std::size_t most = 0;
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const auto found = std::ranges::find(tunes[t], name, &Found::name);
    if (found == tunes[t].end()) continue;
    BarSeries series{.label = input.tunes[t].name, .values = {}};
    most = std::min(bars, static_cast<std::size_t>(found->shift.sigma.size()));
    for (std::size_t i = 0; i < most; ++i) {
      const double value = relativeShift(found->shift, static_cast<Eigen::Index>(i));
      series.values.push_back(std::isfinite(value) ? value : 0);
    }
    panel.bars.push_back(std::move(series));
  }
  for (std::size_t i = 1; i <= most; ++i) panel.x.categories.push_back(std::to_string(i));
  return panel;
}

Panel spreadPanel(const AnalysisInput& input, const Tunes& tunes, std::size_t bars) {
  Panel panel;
  panel.x.label = "singular value i";
  panel.y.label = "dsᵢ / sᵢ";
  std::vector<double> index;
  for (std::size_t i = 1; i <= bars; ++i) index.push_back(static_cast<double>(i));
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    std::vector<std::vector<double>> curves;
    for (const Found& found : tunes[t]) {
      std::vector<double> curve;
      for (std::size_t i = 0; i < bars; ++i)
        curve.push_back(relativeShift(found.shift, static_cast<Eigen::Index>(i)));
      curves.push_back(std::move(curve));
    }
    LineSeries line = medianWithRange(input.tunes[t].name, index, curves);
    line.style = seriesStyle(t);
    line.style->marker = Marker::kNone;
    panel.lines.push_back(std::move(line));
  }
  return panel;
}

Figure shiftFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  const std::size_t bars = input.parameters.count("bars");
  std::size_t longest = 0;
  for (const auto& matrices : tunes)
    for (const Found& found : matrices)
      longest = std::max(longest, static_cast<std::size_t>(found.shift.sigma.size()));
  const std::string drawn = drawnMatrix(tunes);
  return {
      .name = "clip-svd-shifts",
      .caption = fmt::format("Shifts ds_i / s_i of singular values, ds = diag(U^T W' V) - s: {}. Bars: {}; "
                             "lines: median and range over all matrices.",
                             subjectOf(input, paired), drawn),
      .panels = {barPanel(input, tunes, drawn, bars), spreadPanel(input, tunes, std::min(bars, longest))}};
}

Figure distanceFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  Figure figure{.name = "clip-svd-off-diagonal",
                .caption = fmt::format(
                    "How far fine-tunes are from pure singular-value adaptation: {}. Off the diagonal of M = "
                    "U^T W' V lies ||M - diag(M)|| / ||M||, by layer; what no shift of singular values "
                    "explains is ||dW - U diag(ds) V^T|| / ||dW|| (means over the matrices).",
                    subjectOf(input, paired)),
                .panels = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    std::vector<std::string> names;
    std::vector<double> values;
    for (const Found& found : tunes[t]) {
      names.push_back(found.name);
      values.push_back(found.shift.off_diagonal);
    }
    Panel profile = layerProfile(names, values, {.label = "off-diagonal ‖M‖ share", .minimum = 0});
    profile.title = input.tunes[t].name;
    if (!profile.lines.empty()) figure.panels.push_back(std::move(profile));
  }
  Panel means;
  means.x.categories = {"off-diagonal", "unexplained"};
  means.x.category_font = FontRole::kSans;
  means.y = {.label = "share of the norm", .minimum = 0};
  for (std::size_t t = 0; t < tunes.size(); ++t)
    means.bars.push_back({.label = input.tunes[t].name,
                          .values = {meanOver(tunes[t], [](const Found& f) { return f.shift.off_diagonal; }),
                                     meanOver(tunes[t], unexplained)}});
  for (BarSeries& bars : means.bars)
    for (double& value : bars.values)
      if (!std::isfinite(value)) value = 0;
  figure.panels.push_back(std::move(means));
  return figure;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  TRY_ASSIGN(const PairedBases paired, pairedBases(input));
  TRY_ASSIGN(const Tunes tunes, forEachTuned<Found>(input, paired, look));
  AnalysisResult result{.tables = {tableOf(input, tunes)},
                        .figures = {shiftFigure(input, paired, tunes), distanceFigure(input, paired, tunes)},
                        .notes = paired.notes};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const double left = meanOver(tunes[t], unexplained);
    result.notes.push_back(fmt::format(
        "{}: shifting singular values alone explains {:.1f} % of ||dW||^2 on average, {:.1f} % of ||dW|| "
        "remain; off the diagonal of U^T W' V lies {:.1f} % of its norm.",
        input.tunes[t].name,
        100 * meanOver(tunes[t], [](const Found& f) { return 1 - std::pow(unexplained(f), 2); }), 100 * left,
        100 * meanOver(tunes[t], [](const Found& f) { return f.shift.off_diagonal; })));
  }
  result.notes.emplace_back(
      "Where singular values are equal their vectors are any basis of a subspace: a pure adaptation made in "
      "another one looks like off-diagonal energy there.");
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "clip-svd",
    .title = "CLIP-SVD: singular values alone",
    .paper =
        "Koleilat, Rivaz, Xiao: Singular Value Few-shot Adaptation of Vision-Language Models "
        "(arXiv:2509.03740)",
    .summary =
        "The shift of every singular value that a fine-tune made, and how far it is from having shifted "
        "nothing else.",
    .equation =
        "W = U diag(s) V^T; M = U^T W' V; ds = diag(M) - s; off-diagonal = ||M - diag(M)||_F / ||M||_F; "
        "unexplained = ||W' - W - U diag(ds) V^T||_F / ||W' - W||_F",
    .cost = "a full decomposition, about 4 m n^2 + 8 n^3, and 2 m n^2; 4 m n doubles",
    .unchecked =
        "Few-shot accuracies (they need vision-language models and training). The probe of checkpoints that "
        "were not tuned by this method is ours, not the paper's.",
    .subject = Subject::kFineTunes,
    .parameters = kParameters,
    .run = run,
};

}  // namespace vitrine::core::methods::clip_svd
