// SVFit: how many singular values hold 99 % of a weight, and what training only those costs.
#include <cmath>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/summaries.h"
#include "core/spectra/energy_curve.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/shuffled.h"

namespace vitrine::core::methods::svfit {
namespace {

// The Gram matrix of a short side of 8,192 takes half a gigabyte.
constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 30, .short_side = 8'192};
constexpr std::uint64_t kMostShuffled = std::uint64_t{1} << 25;  // elements: the null doubles the time
constexpr std::size_t kPlaces = 50;                              // of a curve

constexpr Parameter kParameters[] = {
    {.name = "energy",
     .fallback = 99,
     .least = 1,
     .most = 100,
     .unit = "%",
     .help = "of the sum of squares that the trained values hold",
     .whole = false},
    {.name = "lora_rank",
     .fallback = 8,
     .least = 1,
     .most = 1024,
     .unit = "",
     .help = "of the LoRA beside it"},
    {.name = "null",
     .fallback = 1,
     .least = 0,
     .most = 1,
     .unit = "",
     .help = "1: also of the same elements in random order"},
};

struct Energies {
  std::vector<double> sigma, null;  // null: of shuffled elements, or empty
};

Result<Energies> energiesOf(const DenseMatrix& matrix, bool with_null, const std::stop_token& stop) {
  TRY_ASSIGN(Spectrum spectrum, lapackSpectrum(matrix, stop));
  Energies energies{.sigma = std::move(spectrum.sigma), .null = {}};
  if (!with_null || matrix.values.size() > kMostShuffled) return energies;
  TRY_ASSIGN(Spectrum null, lapackSpectrum(shuffled(matrix), stop));
  energies.null = std::move(null.sigma);
  return energies;
}

struct Row {
  double rank = 0, share = 0, null_rank = 0;  // share: of all values
  double lora = 0;                            // parameters
};

std::vector<Row> rowsOf(const AnalysisInput& input, const std::vector<Energies>& all) {
  const double energy = input.parameters.value("energy") / 100, lora = input.parameters.value("lora_rank");
  std::vector<Row> rows;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const NamedMatrix& matrix = input.matrices[i];
    const auto rankOf = [&](const auto& sigma) { return static_cast<double>(energyRank(sigma, energy)); };
    rows.push_back({.rank = rankOf(all[i].sigma),
                    .share = rankOf(all[i].sigma) / static_cast<double>(all[i].sigma.size()),
                    .null_rank = all[i].null.empty() ? std::nan("") : rankOf(all[i].null),
                    .lora = lora * static_cast<double>(matrix.rows + matrix.columns)});
  }
  return rows;
}

Table tableOf(const AnalysisInput& input, const std::vector<Energies>& all, const std::vector<Row>& rows) {
  const double energy = input.parameters.value("energy");
  Table table{
      .title = fmt::format("The values that hold {:g} % of the energy", energy),
      .columns = {{"tensor", "", ""},
                  {"values", "", "min(m, n)"},
                  {"rank", "",
                   fmt::format("the least r whose values hold {:g} %; SVFit trains r numbers", energy)},
                  {"of all", "%", "rank / values"},
                  {"shuffled", "", "the rank of the same elements in random order"},
                  {"held by the rest", "%", "the residual's energy, frozen"},
                  {"LoRA's", "", "parameters of a LoRA of rank lora_rank: lora_rank (m + n)"},
                  {"LoRA's / SVFit's", "", "how many times more"},
                  {"rank at r", "", "of the LoRA with as many parameters as SVFit: r / (m + n)"}},
      .rows = {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Row& row = rows[i];
    const double rest = truncationError(all[i].sigma, static_cast<std::size_t>(row.rank));
    const NamedMatrix& matrix = input.matrices[i];
    table.rows.push_back({matrix.name, static_cast<std::int64_t>(all[i].sigma.size()),
                          static_cast<std::int64_t>(row.rank), 100 * row.share, row.null_rank,
                          100 * rest * rest, static_cast<std::int64_t>(row.lora),
                          row.rank > 0 ? row.lora / row.rank : std::nan(""),
                          row.rank / static_cast<double>(matrix.rows + matrix.columns)});
  }
  return table;
}

// Held energy at each of kPlaces shares of the values.
std::vector<double> curveOf(const std::vector<double>& sigma) {
  const std::vector<double> held = energyCurve(sigma);
  std::vector<double> curve(kPlaces, std::nan(""));
  if (held.empty() || sigma.front() == 0) return curve;
  for (std::size_t p = 0; p < kPlaces; ++p) {
    const auto k = static_cast<std::size_t>(std::ceil(static_cast<double>(sigma.size() * (p + 1)) / kPlaces));
    curve[p] = 100 * held[k - 1];
  }
  return curve;
}

Figure figureOf(const AnalysisInput& input, const std::vector<Energies>& all, const std::vector<Row>& rows) {
  const double energy = input.parameters.value("energy");
  std::vector<std::vector<double>> stored, null;
  std::vector<std::string> names;
  std::vector<double> shares, x;
  for (std::size_t i = 0; i < all.size(); ++i) {
    stored.push_back(curveOf(all[i].sigma));
    null.push_back(curveOf(all[i].null));
    names.push_back(input.matrices[i].name);
    shares.push_back(100 * rows[i].share);
  }
  for (std::size_t p = 1; p <= kPlaces; ++p) x.push_back(100.0 * static_cast<double>(p) / kPlaces);
  Figure figure{
      .name = "svfit",
      .caption = fmt::format(
          "Energy that the largest singular values of {} matrices of {} hold, median and range, beside "
          "that of the same elements in random order; and the share of the values that holds {:g} %, "
          "over the layers.",
          all.size(), input.model, energy),
      .panels = {}};
  Panel curves;
  curves.x = {.label = "largest values", .unit = "%"};
  curves.y = {.label = "energy", .unit = "%", .maximum = 100.0};
  curves.lines = {medianWithRange("weights", x, stored), medianWithRange("shuffled", x, null)};
  for (std::size_t i = 0; i < curves.lines.size(); ++i)
    curves.lines[i] = unmarked(std::move(curves.lines[i]), i);
  curves.annotations.push_back(
      {.kind = AnnotationKind::kHorizontalLine, .at = {0, energy}, .text = fmt::format("{:g} %", energy)});
  figure.panels.push_back(std::move(curves));
  Panel profile = layerProfile(names, shares, {.label = "values needed", .unit = "%"});
  if (!profile.lines.empty()) figure.panels.push_back(std::move(profile));
  return figure;
}

std::string noteOf(const AnalysisInput& input, const std::vector<Energies>& all,
                   const std::vector<Row>& rows) {
  double values = 0, trained = 0, lora = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    values += static_cast<double>(all[i].sigma.size());
    trained += rows[i].rank;
    lora += rows[i].lora;
  }
  return fmt::format(
      "{:g} % of the energy takes {:.0f} of the {:.0f} singular values ({:.0f} %); training them alone has "
      "{:.0f} parameters, a LoRA of rank {:g} {:.0f}. SVFit turns no singular vector: every change it can "
      "learn "
      "is diagonal in the basis of the weight's own vectors.",
      input.parameters.value("energy"), trained, values, 100 * trained / values, trained,
      input.parameters.value("lora_rank"), lora);
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const bool null = input.parameters.count("null") == 1;
  TRY_ASSIGN(const std::vector<Energies> all,
             forEachMatrix<Energies>(input, [&](const DenseMatrix& dense, const NamedMatrix&) {
               return energiesOf(dense, null, input.stop);
             }));
  const std::vector<Row> rows = rowsOf(input, all);
  return AnalysisResult{.tables = {tableOf(input, all, rows)},
                        .figures = {figureOf(input, all, rows)},
                        .notes = {noteOf(input, all, rows)}};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "svfit",
    .title = "SVFit's energy ranks",
    .paper =
        "Sun, Wei, Wu, Shi, He, Ma, Xie, Yang: SVFit: Parameter-Efficient Fine-Tuning of Large Pre-Trained "
        "Models Using Singular Values (arXiv:2409.05926)",
    .summary =
        "How many singular values hold 99 % of each matrix, and the parameters of training only those "
        "against LoRA's.",
    .equation =
        "W (m, n) = U S V^T; r = min k: sum_{i <= k} s_i^2 >= 0.99 sum s_i^2; W' = U_r diag(s'_r) V_r^T + "
        "(W - U_r S_r V_r^T), r parameters; LoRA of rank q: q (m + n)",
    .cost = "m n^2 + 4/3 n^3 multiplications, n^2 doubles; twice that with the null",
    .unchecked =
        "What the trained values become and how well the model does with them (16 times fewer "
        "parameters than LoRA): that takes training. That the residual is kept is not in the abstract; "
        "it is how the first W' equals W.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::svfit
