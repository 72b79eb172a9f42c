// Intruder dimensions: strong new directions of a fine-tune, and what is left when they are scaled down.
#include <algorithm>
#include <cmath>
#include <map>

#include "core/methods/support/intruder_losses.h"
#include "core/methods/support/model_runs.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/tune_panels.h"
#include "core/methods/support/tuned_matrices.h"
#include "core/spectra/intruder_mitigation.h"
#include "core/spectra/subspaces.h"

namespace vitrine::core::methods::intruder_dimensions {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "k",
     .fallback = 10,
     .least = 1,
     .most = 1'000,
     .unit = "",
     .help = "strongest directions of a tuned matrix"},
    {.name = "epsilon",
     .fallback = 0.5,
     .least = 0,
     .most = 1,
     .unit = "",
     .help = "what matches no base direction by it is an intruder",
     .whole = false},
    {.name = "steps", .fallback = 10, .least = 1, .most = 100, .unit = "", .help = "of lambda from 0 to 1"},
    kWindowParameter,
    kWindowsParameter,
};

constexpr Eigen::Index kBlock = 32;         // a side of the cosine map
constexpr Eigen::Index kMostCounted = 100;  // of the lines over k
constexpr std::size_t kCountedAt[] = {1, 5, 10, 20, 50, 100};
constexpr double kEpsilons[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

struct Found {
  std::string name;
  double base_norm = 0;
  Eigen::VectorXd match;       // (r)
  Eigen::MatrixXd similarity;  // (block, block), base down
  Mitigation mitigation;
};
using Tunes = std::vector<std::vector<Found>>;

std::vector<double> lambdasOf(const AnalysisInput& input) {
  const std::size_t steps = input.parameters.count("steps");
  std::vector<double> lambdas;
  for (std::size_t i = 0; i <= steps; ++i)
    lambdas.push_back(static_cast<double>(i) / static_cast<double>(steps));
  return lambdas;
}

Result<Found> look(const TunedPair& pair, const IntruderRule& rule, std::span<const double> lambdas) {
  TRY_ASSIGN(const FullSvd tuned, fullSvd(pair.tuned));
  Found found{
      .name = pair.name, .base_norm = pair.base.norm(), .match = {}, .similarity = {}, .mitigation = {}};
  found.match = matchOfDirections(pair.svd, tuned, rule.cluster_width);
  const Eigen::Index block = std::min(kBlock, tuned.sigma.size());
  found.similarity = cosinesOf(pair.svd.u.leftCols(block), tuned.u.leftCols(block)).cwiseAbs();
  found.mitigation = mitigateIntruders(tuned, found.match, pair.tuned - pair.base, rule, lambdas);
  return found;
}

int countAt(const Found& found, std::size_t k, double epsilon) {
  return intruderCounts(found.match, {k}, {epsilon})(0, 0);
}

double meanCount(const std::vector<Found>& matrices, std::size_t k, double epsilon) {
  double sum = 0;
  for (const Found& found : matrices) sum += countAt(found, k, epsilon);
  return sum / static_cast<double>(matrices.size());
}

std::vector<std::string> namesOf(const std::vector<Found>& matrices) {
  std::vector<std::string> names;
  for (const Found& found : matrices) names.push_back(found.name);
  return names;
}

Table byKind(const AnalysisInput& input, const Tunes& tunes, const IntruderRule& rule) {
  Table table{
      .title = fmt::format("Intruders among the first {} directions, epsilon {}", rule.k, rule.epsilon),
      .columns = {{"fine-tune", "", ""},
                  {"matrices", "", "by kind"},
                  {"intruders", "", "of all layers together"},
                  {"of", "", "directions looked at"},
                  {"layers with one", "", ""},
                  {"|dW| / |W|", "", "Frobenius, mean over the layers"},
                  {"closest lambda", "",
                   "scale of the intruders at which the matrix is nearest to its base, mean over the layers "
                   "that have some"}},
      .rows = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const std::vector<std::string> kinds = kindsOf(namesOf(tunes[t]));
    std::vector<std::string> order;
    for (const std::string& kind : kinds)
      if (std::ranges::find(order, kind) == order.end()) order.push_back(kind);
    for (const std::string& kind : order) {
      std::int64_t intruders = 0, of = 0, layers = 0;
      std::vector<double> relative, closest;
      for (std::size_t m = 0; m < kinds.size(); ++m) {
        if (kinds[m] != kind) continue;
        const Found& found = tunes[t][m];
        const auto here = static_cast<std::int64_t>(found.mitigation.intruders.size());
        intruders += here;
        of += std::min<std::int64_t>(static_cast<std::int64_t>(rule.k), found.match.size());
        layers += here > 0;
        if (found.base_norm > 0) relative.push_back(found.mitigation.change_norm / found.base_norm);
        if (here > 0) closest.push_back(found.mitigation.closest_lambda);
      }
      table.rows.push_back(
          {input.tunes[t].name, kind, intruders, of, layers, meanOf(relative), meanOf(closest)});
    }
  }
  return table;
}

Table grid(const AnalysisInput& input, const Tunes& tunes) {
  Table table{.title = "Intruders a matrix, by epsilon and k",
              .columns = {{"fine-tune", "", ""}, {"epsilon", "", ""}},
              .rows = {}};
  for (const std::size_t k : kCountedAt)
    table.columns.push_back({fmt::format("k = {}", k), "", "mean over the matrices"});
  for (std::size_t t = 0; t < tunes.size(); ++t)
    for (const double epsilon : kEpsilons) {
      std::vector<Cell> row = {input.tunes[t].name, epsilon};
      for (const std::size_t k : kCountedAt) row.push_back(meanCount(tunes[t], k, epsilon));
      table.rows.push_back(std::move(row));
    }
  return table;
}

// Over all matrices of a fine-tune together, at each lambda.
struct Whole {
  std::vector<double> change, left;  // of ||dW||, of the intruders; NaN where there are none
};
Whole wholeOf(const std::vector<Found>& matrices, std::size_t lambdas) {
  Whole whole;
  double all = 0, intruders = 0;
  for (const Found& found : matrices) {
    all += std::pow(found.mitigation.change_norm, 2);
    intruders += static_cast<double>(found.mitigation.intruders.size());
  }
  for (std::size_t i = 0; i < lambdas; ++i) {
    double change = 0, left = 0;
    for (const Found& found : matrices) {
      change += std::pow(found.mitigation.change[i], 2);
      left += static_cast<double>(found.mitigation.left[i]);
    }
    whole.change.push_back(std::sqrt(change / all));
    whole.left.push_back(left / intruders);
  }
  return whole;
}

Table mitigationTable(const AnalysisInput& input, const Tunes& tunes, const std::vector<double>& lambdas) {
  Table table{.title = "Intruders scaled by lambda",
              .columns = {{"fine-tune", "", ""},
                          {"lambda", "", "0: removed, 1: as they are"},
                          {"|dW(lambda)| / |dW|", "", "Frobenius, of all matrices together"},
                          {"intruders left", "",
                           "share of them among the k strongest of W(lambda), which others may enter"}},
              .rows = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const Whole whole = wholeOf(tunes[t], lambdas.size());
    for (std::size_t i = 0; i < lambdas.size(); ++i)
      table.rows.push_back({input.tunes[t].name, lambdas[i], whole.change[i], whole.left[i]});
  }
  return table;
}

Result<Figure> mapFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  Figure figure{
      .name = "intruder-dimensions-map",
      .caption = fmt::format("Cosine similarity |u0 . u1| between the strongest left singular vectors of the "
                             "base (down) and of the fine-tune (right): {}. A dark column is an intruder.",
                             subjectOf(input, paired)),
      .panels = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    std::vector<SquareMap> maps;
    for (const Found& found : tunes[t]) maps.push_back(squareOf(found.similarity));
    MapStyle style{
        .shrink = cropped, .color = {}, .row_label = "base direction", .column_label = "tuned direction"};
    style.color.quantity = "cosine similarity";
    style.color.minimum = 0;
    style.color.maximum = 1;
    style.directions = maps[0].side;
    TRY_ASSIGN(Panel panel, mapsOfMatrices(namesOf(tunes[t]), maps, style));
    panel.title = input.tunes[t].name;
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Figure countFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes,
                   const IntruderRule& rule) {
  Figure figure{.name = "intruder-dimensions-counts",
                .caption = fmt::format("Intruder dimensions: {}. Over k at epsilon {}, over epsilon at k = "
                                       "{} (means over the matrices), and by layer.",
                                       subjectOf(input, paired), rule.epsilon, rule.k),
                .panels = {}};
  Panel over_k, over_epsilon;
  over_k.x.label = "strongest tuned directions, k";
  over_epsilon.x.label = "ε";
  for (Panel* panel : {&over_k, &over_epsilon}) {
    panel->y.label = "intruders a matrix";
    panel->y.minimum = 0;
  }
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    Eigen::Index most = kMostCounted;
    for (const Found& found : tunes[t]) most = std::min(most, std::max<Eigen::Index>(found.match.size(), 2));
    LineSeries k_line = plainLine(input.tunes[t].name, {}, {}, t);
    for (Eigen::Index k = 1; k <= most; ++k) {
      k_line.x.push_back(static_cast<double>(k));
      k_line.y.push_back(meanCount(tunes[t], static_cast<std::size_t>(k), rule.epsilon));
    }
    over_k.lines.push_back(std::move(k_line));
    LineSeries epsilon_line = plainLine(input.tunes[t].name, {}, {}, t);
    for (int i = 0; i <= 40; ++i) {
      epsilon_line.x.push_back(i / 40.0);
      epsilon_line.y.push_back(meanCount(tunes[t], rule.k, i / 40.0));
    }
    over_epsilon.lines.push_back(std::move(epsilon_line));
  }
  figure.panels = {std::move(over_k), std::move(over_epsilon)};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    std::vector<double> counts;
    for (const Found& found : tunes[t])
      counts.push_back(static_cast<double>(found.mitigation.intruders.size()));
    const std::vector<std::string> names = namesOf(tunes[t]);
    Panel profile = layerProfile(names, counts, {.label = "intruders", .minimum = 0});
    profile.title = input.tunes[t].name;
    if (!profile.lines.empty()) figure.panels.push_back(std::move(profile));
  }
  return figure;
}

Figure mitigationFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes,
                        const IntruderRule& rule, const std::vector<double>& lambdas) {
  Figure figure{
      .name = "intruder-dimensions-mitigation",
      .caption = fmt::format("Intruders (k = {}, epsilon {}) scaled by lambda: {}. What is left of the "
                             "distance to the base, and of the intruders among the k strongest directions.",
                             rule.k, rule.epsilon, subjectOf(input, paired)),
      .panels = {}};
  Panel change, left;
  change.x.label = left.x.label = "λ";
  change.y.label = "‖ΔW(λ)‖ / ‖ΔW‖";
  left.y.label = "intruders left / intruders";
  left.y.minimum = 0;
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const Whole whole = wholeOf(tunes[t], lambdas.size());
    change.lines.push_back({.label = input.tunes[t].name, .x = lambdas, .y = whole.change});
    left.lines.push_back({.label = input.tunes[t].name, .x = lambdas, .y = whole.left});
  }
  figure.panels = {std::move(change), std::move(left)};
  return figure;
}

std::string noteOf(const AnalysisInput& input, const std::vector<Found>& matrices, std::size_t tune,
                   const IntruderRule& rule) {
  std::size_t intruders = 0, of = 0, with = 0;
  double change = 0, removed = 0;
  for (const Found& found : matrices) {
    intruders += found.mitigation.intruders.size();
    of += std::min(rule.k, static_cast<std::size_t>(found.match.size()));
    with += !found.mitigation.intruders.empty();
    change += std::pow(found.mitigation.change_norm, 2);
    removed += std::pow(found.mitigation.change.front(), 2);
  }
  const std::string& name = input.tunes[tune].name;
  if (intruders == 0) return fmt::format("{}: none of {} directions is an intruder.", name, of);
  return fmt::format(
      "{}: {} of {} directions in {} of {} matrices are intruders; without them {:.1f} % of ||dW|| is left "
      "(over 100 %: what the base had along them went too).",
      name, intruders, of, with, matrices.size(), 100 * std::sqrt(removed / change));
}

Result<void> addLosses(const AnalysisInput& input, const Tunes& tunes, const std::vector<double>& lambdas,
                       AnalysisResult& to) {
  std::vector<Mitigations> mitigations(tunes.size());
  for (std::size_t t = 0; t < tunes.size(); ++t)
    for (const Found& found : tunes[t]) mitigations[t].emplace(found.name, &found.mitigation);
  TRY_ASSIGN(const IntruderLosses losses, intruderLosses(input, mitigations, lambdas));
  to.tables.push_back(lossTable(input, losses, lambdas));
  to.figures.push_back(lossFigure(input, losses, lambdas));
  for (std::string& note : lossNotes(input, losses, lambdas)) to.notes.push_back(std::move(note));
  return {};
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const IntruderRule rule{.k = input.parameters.count("k"), .epsilon = input.parameters.value("epsilon")};
  const std::vector<double> lambdas = lambdasOf(input);
  TRY_ASSIGN(const PairedBases paired, pairedBases(input));
  TRY_ASSIGN(const Tunes tunes, forEachTuned<Found>(input, paired, [&](const TunedPair& pair) {
               return look(pair, rule, lambdas);
             }));
  TRY_ASSIGN(Figure map, mapFigure(input, paired, tunes));
  AnalysisResult result{
      .tables = {byKind(input, tunes, rule), grid(input, tunes), mitigationTable(input, tunes, lambdas)},
      .figures = {std::move(map), countFigure(input, paired, tunes, rule),
                  mitigationFigure(input, paired, tunes, rule, lambdas)},
      .notes = paired.notes};
  for (std::size_t t = 0; t < tunes.size(); ++t) result.notes.push_back(noteOf(input, tunes[t], t, rule));
  result.notes.emplace_back(
      "Base values within 0.1 % of each other count as one subspace; a lambda scales the whole tuned "
      "direction, what the base had along it too.");
  if (runsModel(input)) TRY(addLosses(input, tunes, lambdas, result));
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "intruder-dimensions",
    .title = "Intruder dimensions and their mitigation",
    .paper =
        "Shuttleworth, Andreas, Torralba, Sharma: LoRA vs Full Fine-tuning: An Illusion of Equivalence "
        "(arXiv:2410.21228)",
    .summary =
        "How many strong directions of a fine-tune its base does not have, and what is left of the change, "
        "of them, of what was learnt and of what was forgotten when they are scaled down.",
    .equation =
        "W0 = sum s_i x_i z_i^T, W = sum t_j y_j w_j^T; j <= k is an intruder where max_i |y_j . x_i| < "
        "epsilon; W(lambda) = W + (lambda - 1) sum over intruders of t_j y_j w_j^T",
    .cost =
        "two full decompositions, about 2 (4 m n^2 + 8 n^3) each, and m n^2 of cosines; 6 m n doubles; a run "
        "on both texts for each lambda",
    .unchecked =
        "How counts move with LoRA ranks, learning rates and continual training beyond the fine-tunes that "
        "are given; the paper's tasks, in place of which stands the perplexity of two texts.",
    .subject = Subject::kFineTunes,
    .parameters = kParameters,
    .runs = {.text = "text of the kind that the base has seen: what is forgotten",
             .tuned_text = "text of the kind that it was tuned on: what was learnt"},
    .run = run,
};

}  // namespace vitrine::core::methods::intruder_dimensions
