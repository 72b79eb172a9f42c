// SALT: scaled and shifted leading singular values with a low-rank update behind them, against LoRA.
#include <algorithm>
#include <cmath>

#include "core/methods/support/tune_panels.h"
#include "core/methods/support/tuned_matrices.h"
#include "core/spectra/base_coordinates.h"
#include "core/spectra/salt_split.h"

namespace vitrine::core::methods::salt {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "head",
     .fallback = 32,
     .least = 0,
     .most = 4'096,
     .unit = "",
     .help = "leading singular values that are scaled and shifted"},
    {.name = "rank",
     .fallback = 4,
     .least = 0,
     .most = 1'024,
     .unit = "",
     .help = "of the update behind them"},
};

constexpr std::size_t kBudgets = 49;

struct Found {
  std::string name;
  // Shares of ||dW||^2; NaN where nothing changed.
  double head_block = 0, cross = 0, tail_block = 0, outside = 0;
  double scale_shift = 0, one_line = 0, tail = 0;
  double lora = 0, values = 0;
  double parameters = 0;  // of SALT, over m n
  double lora_rank = 0;   // of as many parameters, with a fraction
  std::vector<double> salt_curve, lora_curve, values_curve;
};
using Tunes = std::vector<std::vector<Found>>;

// Between the steps 0, 1, 2 .. of ascending energies, linear.
double between(const std::vector<double>& energies, double at) {
  const double last = static_cast<double>(energies.size() - 1);
  if (at >= last) return energies.back();
  const auto low = static_cast<std::size_t>(at);
  return energies[low] + (at - static_cast<double>(low)) * (energies[low + 1] - energies[low]);
}

// Of SALT at a budget: scale and shift of a shorter head, then the head and a tail of fractional rank.
double saltAt(const SaltSplit& split, const std::vector<double>& values, double budget) {
  const double head = 2 * static_cast<double>(split.head);
  if (budget < head || split.tail_sigma.size() == 0) return between(values, std::min(budget, head) / 2);
  const double rank = (budget - head) / (2 * static_cast<double>(split.tail_sigma.size()));
  return split.head_diagonal + between(lowRankEnergies(split.tail_sigma), rank);
}

Result<Found> look(const TunedPair& pair, Eigen::Index head, Eigen::Index rank) {
  const Eigen::MatrixXd change = pair.tuned - pair.base;
  const Eigen::MatrixXd d = changeInBasis(pair.svd, change);
  const double all = change.squaredNorm(), elements = static_cast<double>(change.size());
  TRY_ASSIGN(const SaltSplit split, saltSplit(d, pair.svd.sigma, all, head));
  TRY_ASSIGN(const FullSvd of_change, fullSvd(change));
  const auto share = [all](double energy) { return all > 0 ? energy / all : std::nan(""); };
  const std::vector<double> lora = lowRankEnergies(of_change.sigma);
  const double of_rank = static_cast<double>(change.rows() + change.cols());
  std::vector<double> values = {0};
  for (Eigen::Index i = 0; i < d.rows(); ++i) values.push_back(values.back() + d(i, i) * d(i, i));
  Found found{.name = pair.name,
              .head_block = share(split.head_block),
              .cross = share(split.cross),
              .tail_block = share(split.tail_block),
              .outside = share(std::max(0.0, all - d.squaredNorm())),
              .scale_shift = share(split.head_diagonal),
              .one_line = share(split.one_scale_and_shift),
              .tail = share(split.explained(rank) - split.head_diagonal),
              .values = share(values.back()),
              .parameters = split.parameters(rank) / elements,
              .lora_rank = split.parameters(rank) / of_rank,
              .salt_curve = {},
              .lora_curve = {},
              .values_curve = {}};
  found.lora = share(between(lora, found.lora_rank));
  for (const double part : logarithmicSteps(1e-4, 1, kBudgets)) {
    const double budget = part * elements;
    found.salt_curve.push_back(share(saltAt(split, values, budget)));
    found.lora_curve.push_back(share(between(lora, budget / of_rank)));
    found.values_curve.push_back(share(between(values, budget)));
  }
  return found;
}

std::vector<Column> columnsOf(std::string first) {
  return {{"fine-tune", "", ""},
          {std::move(first), "", ""},
          {"parameters / mn", "", "of SALT: 2 h + 2 q (r - h)"},
          {"head block", "", "share of ||dW||^2 between the h leading directions"},
          {"cross", "", "share between head and tail: no part of SALT reaches it"},
          {"tail block", "", "share between the other directions"},
          {"scale, shift", "", "share that the h values alone explain"},
          {"one a, b", "", "the same with one scale and one shift for all of them"},
          {"tail, rank q", "", "share that the update behind them explains"},
          {"SALT", "", "both"},
          {"LoRA", "", "share of the best low-rank change of as many parameters, linear between ranks"},
          {"LoRA rank", "", "of as many parameters"},
          {"all values", "", "share that shifting every singular value explains"}};
}

std::vector<Cell> rowOf(const std::string& tune, const Found& f) {
  return {tune,       f.name, f.parameters,           f.head_block, f.cross,     f.tail_block, f.scale_shift,
          f.one_line, f.tail, f.scale_shift + f.tail, f.lora,       f.lora_rank, f.values};
}

Found meanOfAll(const std::vector<Found>& all) {
  const auto mean = [&](double Found::*member) {
    return meanOver(all, [member](const Found& f) { return f.*member; });
  };
  Found to{
      .name = fmt::format("{} matrices", all.size()), .salt_curve = {}, .lora_curve = {}, .values_curve = {}};
  for (double Found::*member :
       {&Found::head_block, &Found::cross, &Found::tail_block, &Found::outside, &Found::scale_shift,
        &Found::one_line, &Found::tail, &Found::lora, &Found::values, &Found::parameters, &Found::lora_rank})
    to.*member = mean(member);
  return to;
}

std::vector<Table> tablesOf(const AnalysisInput& input, const Tunes& tunes) {
  const std::string what = fmt::format("Share of ||dW||^2 that SALT holds (h = {}, q = {})",
                                       input.parameters.count("head"), input.parameters.count("rank"));
  Table means{.title = what + ", means", .columns = columnsOf("matrices"), .rows = {}};
  Table each{.title = what + ", by matrix", .columns = columnsOf("tensor"), .rows = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    means.rows.push_back(rowOf(input.tunes[t].name, meanOfAll(tunes[t])));
    for (const Found& found : tunes[t]) each.rows.push_back(rowOf(input.tunes[t].name, found));
  }
  return {std::move(means), std::move(each)};
}

std::vector<double> meanCurve(const std::vector<Found>& all, std::vector<double> Found::*curve) {
  std::vector<double> means;
  for (std::size_t i = 0; i < kBudgets; ++i)
    means.push_back(meanOver(all, [&](const Found& f) { return (f.*curve)[i]; }));
  return means;
}

Figure energyFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  Figure figure{.name = "salt-energy",
                .caption = fmt::format(
                    "Share of a change's energy ||dW||^2 that adapters of a given size can hold: SALT (scale "
                    "and shift of {} leading singular values, then a growing low-rank update of the block "
                    "behind them), LoRA, and shifts of the leading singular values alone; means over {}.",
                    input.parameters.count("head"), subjectOf(input, paired)),
                .panels = {}};
  const std::vector<double> budgets = logarithmicSteps(1e-4, 1, kBudgets);
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    Panel panel;
    panel.title = input.tunes[t].name;
    panel.x = {.label = "parameters / (m n)", .scale = AxisScale::kLog};
    panel.y = {.label = "explained ‖ΔW‖²", .minimum = 0, .maximum = 1.02};
    panel.lines = {plainLine("SALT", budgets, meanCurve(tunes[t], &Found::salt_curve), 0),
                   plainLine("LoRA", budgets, meanCurve(tunes[t], &Found::lora_curve), 1),
                   plainLine("singular values", budgets, meanCurve(tunes[t], &Found::values_curve), 2)};
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Figure blockFigure(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  Panel panel;
  panel.x.categories = {"head block", "cross", "tail block", "outside", "scale, shift", "SALT", "LoRA"};
  panel.x.category_font = FontRole::kSans;
  panel.y = {.label = "share of ‖ΔW‖²", .minimum = 0};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const Found f = meanOfAll(tunes[t]);
    BarSeries bars{.label = input.tunes[t].name,
                   .values = {f.head_block, f.cross, f.tail_block, f.outside, f.scale_shift,
                              f.scale_shift + f.tail, f.lora}};
    for (double& value : bars.values)
      if (!std::isfinite(value)) value = 0;
    panel.bars.push_back(std::move(bars));
  }
  return {
      .name = "salt-blocks",
      .caption = fmt::format(
          "Where a change's energy lies in the singular basis of its base (the first {} directions are the "
          "head), and what SALT of tail rank {} and LoRA of as many parameters explain; means over {}.",
          input.parameters.count("head"), input.parameters.count("rank"), subjectOf(input, paired)),
      .panels = {std::move(panel)}};
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const auto head = static_cast<Eigen::Index>(input.parameters.count("head"));
  const auto rank = static_cast<Eigen::Index>(input.parameters.count("rank"));
  TRY_ASSIGN(const PairedBases paired, pairedBases(input));
  TRY_ASSIGN(const Tunes tunes, forEachTuned<Found>(input, paired, [&](const TunedPair& pair) {
               return look(pair, head, rank);
             }));
  AnalysisResult result{.tables = tablesOf(input, tunes),
                        .figures = {energyFigure(input, paired, tunes), blockFigure(input, paired, tunes)},
                        .notes = paired.notes};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const Found f = meanOfAll(tunes[t]);
    result.notes.push_back(
        fmt::format("{}: SALT holds {:.1f} % of ||dW||^2 ({:.1f} % by scale and shift), LoRA of as many "
                    "parameters (rank {:.1f}) {:.1f} %, all singular values {:.1f} % (means).",
                    input.tunes[t].name, 100 * (f.scale_shift + f.tail), 100 * f.scale_shift, f.lora_rank,
                    100 * f.lora, 100 * f.values));
  }
  result.notes.emplace_back(
      "With a scale and a shift for each value any s' is reached: they are 2 h parameters for h numbers. A "
      "LoRA adapter is of low rank by construction, so that LoRA wins on it.");
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "salt",
    .title = "SALT",
    .paper =
        "Elsayed et al.: SALT: Singular Value Adaptation with Low-Rank Transformation (arXiv:2503.16055)",
    .summary =
        "How much of a fine-tune scaled leading singular values with a low-rank update behind them can hold, "
        "against LoRA of as many parameters and singular values alone.",
    .equation =
        "D = U^T (W' - W) V; explained = sum over i < h of D_ii^2 + sum over i < q of s_i(D[h:, h:])^2, over "
        "||W' - W||_F^2, with 2 h + 2 q (r - h) parameters; LoRA: sum of the first s_i(W' - W)^2 with m + n "
        "parameters each",
    .cost = "three decompositions, about 4 m n^2 + 8 n^3 each, and 2 m n^2; 5 m n doubles",
    .unchecked =
        "Dice scores on medical images (they need training). Where the low-rank update sits is recalled from "
        "the paper: here on the block of the remaining directions.",
    .subject = Subject::kFineTunes,
    .parameters = kParameters,
    .run = run,
};

}  // namespace vitrine::core::methods::salt
