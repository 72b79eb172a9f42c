// SVFT: how much of a fine-tune sparse patterns in its base's singular basis can hold.
#include <algorithm>
#include <cmath>
#include <random>

#include "core/methods/support/tune_panels.h"
#include "core/methods/support/tuned_matrices.h"
#include "core/spectra/base_coordinates.h"
#include "core/spectra/dense_product.h"

namespace vitrine::core::methods::svft {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "band",
     .fallback = 2,
     .least = 0,
     .most = 4'096,
     .unit = "",
     .help = "of the banded pattern: |i - j| <= band; the other patterns have as many elements"},
    {.name = "seed", .fallback = 1, .least = 0, .most = 1e9, .unit = "", .help = "of the random pattern"},
};

enum Pattern { kBand, kTop, kAligned, kRandom, kLora, kPatterns };
constexpr std::string_view kLabels[kPatterns] = {"band", "largest |M|", "aligned u, v", "random", "LoRA"};
constexpr std::size_t kMapCells = 128;
constexpr std::size_t kBudgets = 61;

// Of parameters, over m n.
std::vector<double> budgets() {
  return logarithmicSteps(1e-4, 1, kBudgets);
}

struct Found {
  std::string name;
  double diagonal = 0;
  double parameters = 0;             // of the banded pattern, over m n
  std::array<double, kPatterns> at;  // retained with at most as many; NaN where a pattern does not exist
  std::array<std::vector<double>, kPatterns> curves;  // at each budget
  SquareMap map;                                      // |M| / ||dW||
};
using Tunes = std::vector<std::vector<Found>>;

// What a pattern retains after each of its steps, which cost `unit` parameters each, or `parameters[i]` in
// all.
struct Steps {
  std::vector<double> energies;
  double unit = 1;
  std::vector<double> parameters = {};

  // The most that fits into a budget.
  double within(double budget) const {
    budget *= 1 + 1e-12;
    if (parameters.empty())
      return energies[std::min(static_cast<std::size_t>(budget / unit), energies.size() - 1)];
    const auto above = std::ranges::upper_bound(parameters, budget);
    return above == parameters.begin() ? 0
                                       : energies[static_cast<std::size_t>(above - parameters.begin()) - 1];
  }
};

Steps bandSteps(const Eigen::MatrixXd& d) {
  Steps steps{.energies = bandEnergies(d)};
  const auto r = static_cast<std::uint64_t>(d.rows());
  for (std::uint64_t b = 0; b < r; ++b) steps.parameters.push_back(static_cast<double>(bandElements(r, b)));
  return steps;
}

Eigen::MatrixXd randomScores(Eigen::Index r, const std::string& name, double seed) {
  std::mt19937_64 random(std::hash<std::string>{}(name) ^ static_cast<std::uint64_t>(seed));
  return Eigen::MatrixXd::NullaryExpr(r, r, [&] { return static_cast<double>(random() >> 11); });
}

// |u_i . v_j|.
Eigen::MatrixXd alignment(const FullSvd& svd) {
  return multiply(svd.u, svd.v, Side::kTransposed, Side::kAsIs).cwiseAbs();
}

Result<Found> look(const TunedPair& pair, std::uint64_t band, double seed) {
  const Eigen::MatrixXd change = pair.tuned - pair.base;
  const Eigen::MatrixXd d = changeInBasis(pair.svd, change);
  TRY_ASSIGN(const FullSvd of_change, fullSvd(change));
  const double all = change.squaredNorm(), elements = static_cast<double>(change.size());
  const auto share = [&](double energy) { return all > 0 ? energy / all : std::nan(""); };
  const auto budget = static_cast<double>(bandElements(static_cast<std::uint64_t>(d.rows()), band));
  Found found{.name = pair.name, .parameters = budget / elements, .at = {}, .curves = {}, .map = {}};
  found.diagonal = share(d.diagonal().squaredNorm());
  found.at.fill(std::nan(""));
  found.curves.fill(std::vector<double>(kBudgets, std::nan("")));
  const auto measure = [&](Pattern pattern, const Steps& steps) {
    found.at[pattern] = share(steps.within(budget));
    found.curves[pattern].clear();
    for (const double part : budgets()) found.curves[pattern].push_back(share(steps.within(part * elements)));
  };
  measure(kBand, bandSteps(d));
  measure(kTop, {.energies = energiesByScore(d, d.cwiseAbs())});
  if (change.rows() == change.cols())
    measure(kAligned, {.energies = energiesByScore(d, alignment(pair.svd))});
  measure(kRandom, {.energies = energiesByScore(d, randomScores(d.rows(), pair.name, seed))});
  measure(kLora, {.energies = lowRankEnergies(of_change.sigma),
                  .unit = static_cast<double>(change.rows() + change.cols())});
  const SquareMap whole = squareOf(all > 0 ? Eigen::MatrixXd(d.cwiseAbs() / std::sqrt(all)) : d);
  found.map = shrunk(whole, std::min(whole.side, kMapCells));
  return found;
}

std::vector<Column> columnsOf(std::string first, std::uint64_t band) {
  return {{"fine-tune", "", ""},
          {std::move(first), "", ""},
          {"parameters / mn", "", fmt::format("of a band of {}: the budget of the others", band)},
          {"diagonal", "", "share of ||dW||^2 that singular values alone can hold"},
          {"band", "", "|i - j| <= band"},
          {"largest |M|", "", "the best pattern of as many elements, known only afterwards"},
          {"aligned", "", "elements by |u_i . v_j|; square matrices only"},
          {"random", "", "one drawn pattern"},
          {"LoRA", "", "the best dW of the largest rank that has no more parameters"}};
}

std::vector<Cell> rowOf(const std::string& tune, const std::string& name, double parameters, double diagonal,
                        const std::array<double, kPatterns>& at) {
  std::vector<Cell> row = {tune, name, parameters, diagonal};
  for (const double value : at) row.emplace_back(value);
  return row;
}

std::array<double, kPatterns> meansAt(const std::vector<Found>& matrices) {
  std::array<double, kPatterns> at{};
  for (std::size_t p = 0; p < kPatterns; ++p)
    at[p] = meanOver(matrices, [p](const Found& f) { return f.at[p]; });
  return at;
}

std::vector<Table> tablesOf(const AnalysisInput& input, const Tunes& tunes, std::uint64_t band) {
  Table means{
      .title = "Retained share of ||dW||^2, means", .columns = columnsOf("matrices", band), .rows = {}};
  Table each{
      .title = "Retained share of ||dW||^2, by matrix", .columns = columnsOf("tensor", band), .rows = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const std::string& name = input.tunes[t].name;
    means.rows.push_back(rowOf(name, fmt::format("{} matrices", tunes[t].size()),
                               meanOver(tunes[t], [](const Found& f) { return f.parameters; }),
                               meanOver(tunes[t], [](const Found& f) { return f.diagonal; }),
                               meansAt(tunes[t])));
    for (const Found& f : tunes[t]) each.rows.push_back(rowOf(name, f.name, f.parameters, f.diagonal, f.at));
  }
  return {std::move(means), std::move(each)};
}

Figure energyFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  Figure figure{
      .name = "svft-energy",
      .caption = fmt::format("Share of a change's energy ||dW||^2 that sparse patterns in the base's "
                             "singular basis retain, M = U^T dW V masked, over their number of parameters; "
                             "means over {}. LoRA: the best low-rank change of at most as many parameters.",
                             subjectOf(input, paired)),
      .panels = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    Panel panel;
    panel.title = input.tunes[t].name;
    panel.x = {.label = "parameters / (m n)", .scale = AxisScale::kLog};
    panel.y = {.label = "retained ‖ΔW‖²", .minimum = 0, .maximum = 1.02};
    for (std::size_t p = 0; p < kPatterns; ++p) {
      std::vector<double> y;
      for (std::size_t i = 0; i < kBudgets; ++i)
        y.push_back(meanOver(tunes[t], [&](const Found& f) { return f.curves[p][i]; }));
      if (std::ranges::any_of(y, [](double value) { return std::isfinite(value); }))
        panel.lines.push_back(plainLine(std::string(kLabels[p]), budgets(), std::move(y), p));
    }
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Result<Figure> mapFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  Figure figure{
      .name = "svft-map",
      .caption = fmt::format("|U^T dW V| / ||dW|| of {}, strongest directions of the base first, the largest "
                             "of the elements in each cell: what SVFT's patterns choose from.",
                             subjectOf(input, paired)),
      .panels = {}};
  float largest = 1e-3f;
  for (const auto& matrices : tunes)
    for (const Found& found : matrices) largest = std::max(largest, std::ranges::max(found.map.values));
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    std::vector<std::string> names;
    std::vector<SquareMap> maps;
    for (const Found& found : tunes[t]) {
      names.push_back(found.name);
      maps.push_back(found.map);
    }
    MapStyle style{
        .shrink = shrunk, .color = {}, .row_label = "left vector i", .column_label = "right vector j"};
    style.color.scale = AxisScale::kLog;
    style.color.minimum = largest * 1e-3;
    style.color.maximum = largest;
    style.color.quantity = "|M| / ‖ΔW‖";
    style.directions = std::min(paired.bases[0].rows, paired.bases[0].columns);
    TRY_ASSIGN(Panel panel, mapsOfMatrices(names, maps, style));
    panel.title = input.tunes[t].name;
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const auto band = static_cast<std::uint64_t>(input.parameters.count("band"));
  const double seed = input.parameters.value("seed");
  TRY_ASSIGN(const PairedBases paired, pairedBases(input));
  TRY_ASSIGN(const Tunes tunes, forEachTuned<Found>(input, paired, [&](const TunedPair& pair) {
               return look(pair, band, seed);
             }));
  TRY_ASSIGN(Figure map, mapFigure(input, paired, tunes));
  AnalysisResult result{.tables = tablesOf(input, tunes, band),
                        .figures = {energyFigure(input, paired, tunes), std::move(map)},
                        .notes = paired.notes};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const auto at = meansAt(tunes[t]);
    result.notes.push_back(fmt::format(
        "{}: with {:.2f} % of the parameters a band of {} can hold {:.1f} % of ||dW||^2, the best elements "
        "{:.1f} %, LoRA {:.1f} % (means).",
        input.tunes[t].name, 100 * meanOver(tunes[t], [](const Found& f) { return f.parameters; }), band,
        100 * at[kBand], 100 * at[kTop], 100 * at[kLora]));
  }
  result.notes.emplace_back(
      "The LoRA of an adapter's own rank holds all of it, by construction. M is (r, r), r the short side: "
      "what a change has outside of the base's thin basis is in no pattern.");
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "svft",
    .title = "SVFT",
    .paper = "Lingam et al.: SVFT: Parameter-Efficient Fine-Tuning with Singular Vectors (arXiv:2405.19597)",
    .summary =
        "How much of a fine-tune sparse patterns in its base's singular basis can hold, against their "
        "parameters and against LoRA.",
    .equation =
        "M = U^T (W' - W) V, W = U diag(s) V^T; retained = sum over the pattern of M_ij^2 / ||W' - W||_F^2; "
        "patterns: |i - j| <= band, the largest |M_ij|, the largest |u_i . v_j|, random; LoRA: sum of the "
        "first q of s_i(dW)^2 with q (m + n) parameters",
    .cost = "two full decompositions, about 4 m n^2 + 8 n^3 each, n^2 log n of sorting; 5 m n doubles",
    .unchecked =
        "Accuracies and the share of full fine-tuning's performance (it needs training): retained energy is "
        "the best that a pattern could do for this dW, not what training would find. The paper's plain, "
        "banded, random and top-k patterns are recalled, and made on the thin basis.",
    .subject = Subject::kFineTunes,
    .parameters = kParameters,
    .run = run,
};

}  // namespace vitrine::core::methods::svft
