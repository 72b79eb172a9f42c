// SoKA: the Kronecker spectrum of a weight, beside its ordinary one at equal parameters.
#include <cmath>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/summaries.h"
#include "core/spectra/energy_curve.h"
#include "core/spectra/kronecker.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/shuffled.h"

namespace vitrine::core::methods::soka {
namespace {

// A square of 4,096: the leanest rearrangement is one as well.
constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 24};
constexpr double kShares[] = {0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5};  // of a matrix's elements

constexpr Parameter kParameters[] = {
    {.name = "energy",
     .fallback = 90,
     .least = 1,
     .most = 100,
     .unit = "%",
     .help = "of the sum of squares that the kept terms hold",
     .whole = false},
    {.name = "budget",
     .fallback = 10,
     .least = 0.1,
     .most = 100,
     .unit = "%",
     .help = "parameters at which shapes are compared, of the matrix's elements",
     .whole = false},
    {.name = "divisors",
     .fallback = 5,
     .least = 2,
     .most = 40,
     .unit = "",
     .help = "of each side that the sweep over block shapes tries"},
};

// One way to write the matrix as a sum of terms of equal size.
struct Expansion {
  BlockShape block;
  std::uint64_t parameters = 0;  // of a term
  std::vector<double> sigma;

  // With the terms that `budget` parameters pay for.
  double errorAt(double budget) const {
    return truncationError(sigma, static_cast<std::size_t>(budget / static_cast<double>(parameters)));
  }
};

struct Sweep {
  std::uint64_t rows = 0, columns = 0;
  Expansion ordinary, lean;
  Expansion shuffled_ordinary, shuffled_lean;  // of the same elements in random order
  std::vector<std::uint64_t> down, across;     // the divisors that were tried
  std::vector<Expansion> others;               // neither ordinary nor trivial

  double budget(double share) const { return share * static_cast<double>(rows * columns); }
  const Expansion* best(double share) const {
    const auto found =
        std::ranges::min_element(others, {}, [&](const Expansion& e) { return e.errorAt(budget(share)); });
    return found == others.end() ? nullptr : &*found;
  }
};

bool isSame(const BlockShape& a, const BlockShape& b) {
  return a.rows == b.rows && a.columns == b.columns;
}

Result<Expansion> expansionOf(const DenseMatrix& matrix, const BlockShape& block,
                              const std::stop_token& stop) {
  TRY_ASSIGN(const DenseMatrix grid, rearranged(matrix, block));
  TRY_ASSIGN(Spectrum spectrum, lapackSpectrum(grid, stop));
  return Expansion{.block = block,
                   .parameters = kroneckerParameters(matrix.rows, matrix.columns, block),
                   .sigma = std::move(spectrum.sigma)};
}

// An ordinary SVD is the sum over blocks of m x 1 or 1 x n; blocks of one element or of all are no sum.
bool isWorthTrying(const DenseMatrix& matrix, const BlockShape& block) {
  const bool whole = (block.rows == 1 || block.rows == matrix.rows) &&
                     (block.columns == 1 || block.columns == matrix.columns);
  return !whole;
}

Result<Sweep> sweepOf(const DenseMatrix& matrix, std::size_t divisors, const std::stop_token& stop) {
  Sweep sweep{.rows = matrix.rows,
              .columns = matrix.columns,
              .ordinary = {},
              .lean = {},
              .shuffled_ordinary = {},
              .shuffled_lean = {},
              .down = spreadDivisors(matrix.rows, divisors),
              .across = spreadDivisors(matrix.columns, divisors),
              .others = {}};
  const BlockShape lean = leanestBlock(matrix.rows, matrix.columns);
  TRY_ASSIGN(sweep.ordinary, expansionOf(matrix, {matrix.rows, 1}, stop));
  TRY_ASSIGN(sweep.lean, expansionOf(matrix, lean, stop));
  const DenseMatrix null = shuffled(matrix);
  TRY_ASSIGN(sweep.shuffled_ordinary, expansionOf(null, {matrix.rows, 1}, stop));
  TRY_ASSIGN(sweep.shuffled_lean, expansionOf(null, lean, stop));
  if (isWorthTrying(matrix, lean)) sweep.others.push_back(sweep.lean);
  for (const std::uint64_t r : sweep.down)
    for (const std::uint64_t c : sweep.across) {
      const BlockShape block{r, c};
      if (!isWorthTrying(matrix, block) || isSame(block, lean)) continue;
      TRY_ASSIGN(Expansion expansion, expansionOf(matrix, block, stop));
      sweep.others.push_back(std::move(expansion));
    }
  return sweep;
}

std::string textOf(const BlockShape& block) {
  return fmt::format("{} x {}", block.rows, block.columns);
}

std::int64_t countOf(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

Table tableOf(const AnalysisInput& input, const std::vector<Sweep>& all) {
  const double energy = input.parameters.value("energy") / 100,
               share = input.parameters.value("budget") / 100;
  const std::string at = fmt::format("at {:g} % of the elements", 100 * share);
  Table table{.title = fmt::format("Kronecker spectra; errors {}", at),
              .columns = {{"tensor", "", ""},
                          {"leanest block", "", "the block B whose terms have the fewest parameters"},
                          {"terms", "", "of a full sum"},
                          {"energy rank", "", fmt::format("terms that hold {:g} %", 100 * energy)},
                          {"elbow", "", "where the spectrum lies furthest below its chord"},
                          {"SVD's energy rank", "", "the same of the ordinary spectrum"},
                          {"error", "", "relative, of the leanest block's sum " + at},
                          {"SVD's error", "", "of as many parameters in an ordinary SVD"},
                          {"best block", "", "of the sweep, without the ordinary SVD"},
                          {"its error", "", "relative, " + at},
                          {"shuffled", "", "the leanest block's error on the same elements in random order"},
                          {"SVD, shuffled", "", "the ordinary SVD's there"}},
              .rows = {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Sweep& s = all[i];
    const Expansion* best = s.best(share);
    table.rows.push_back({input.matrices[i].name, textOf(s.lean.block), countOf(s.lean.sigma.size()),
                          countOf(energyRank(s.lean.sigma, energy)), countOf(elbowRank(s.lean.sigma)),
                          countOf(energyRank(s.ordinary.sigma, energy)), s.lean.errorAt(s.budget(share)),
                          s.ordinary.errorAt(s.budget(share)), best ? textOf(best->block) : "-",
                          best ? best->errorAt(s.budget(share)) : std::nan(""),
                          s.shuffled_lean.errorAt(s.budget(share)),
                          s.shuffled_ordinary.errorAt(s.budget(share))});
  }
  return table;
}

Panel errorPanel(const std::vector<Sweep>& all) {
  std::vector<std::vector<double>> ordinary, lean, best;
  for (const Sweep& s : all) {
    const auto curve = [&](auto&& expansionAt) {
      std::vector<double> errors;
      for (const double share : kShares) {
        const Expansion* expansion = expansionAt(share);
        errors.push_back(expansion ? expansion->errorAt(s.budget(share)) : std::nan(""));
      }
      return errors;
    };
    ordinary.push_back(curve([&](double) { return &s.ordinary; }));
    lean.push_back(curve([&](double) { return &s.lean; }));
    best.push_back(curve([&](double share) { return s.best(share); }));
  }
  std::vector<double> x;
  for (const double share : kShares) x.push_back(100 * share);
  Panel panel;
  panel.x = {.label = "parameters of the elements", .unit = "%"};
  panel.y = {.label = "relative error", .minimum = 0.0};
  panel.lines = {medianWithRange("ordinary SVD", x, ordinary),
                 medianWithRange("Kronecker, leanest block", x, lean),
                 medianWithRange("Kronecker, best block", x, best)};
  return panel;
}

LineSeries spectrumLine(std::string label, const std::vector<double>& sigma) {
  LineSeries line{.label = std::move(label), .x = {}, .y = {}};
  for (std::size_t k = 0; k < sigma.size(); ++k) {
    line.x.push_back(static_cast<double>(k + 1));
    line.y.push_back(sigma[k] > 1e-7 * sigma[0] ? sigma[k] / sigma[0] : std::nan(""));
  }
  return line;
}

Figure errorFigure(const AnalysisInput& input, const std::vector<Sweep>& all) {
  Figure figure{
      .name = "soka",
      .caption = fmt::format(
          "Sums of Kronecker products against the ordinary SVD on {} matrices of {}: relative error at "
          "equal parameters (median, and range over the matrices), and both spectra of {}.",
          all.size(), input.model, input.matrices.front().name),
      .panels = {errorPanel(all)}};
  Panel spectra;
  spectra.x = {.label = "number of the value", .scale = AxisScale::kLog};
  spectra.y = {.label = "singular value / largest", .scale = AxisScale::kLog};
  const Sweep& first = all.front();
  spectra.lines = {spectrumLine("ordinary", first.ordinary.sigma),
                   spectrumLine("Kronecker, blocks of " + textOf(first.lean.block), first.lean.sigma)};
  for (std::size_t i = 0; i < spectra.lines.size(); ++i)
    spectra.lines[i] = unmarked(std::move(spectra.lines[i]), i);
  figure.panels.push_back(std::move(spectra));
  return figure;
}

// The error over all block shapes that were tried of one matrix.
Figure shapeFigure(const AnalysisInput& input, const std::string& name, const Sweep& sweep) {
  const double share = input.parameters.value("budget") / 100;
  Panel panel;
  panel.x = {.label = "columns of a block"};
  panel.y = {.label = "rows of a block"};
  for (const std::uint64_t c : sweep.across) panel.x.categories.push_back(fmt::format("{}", c));
  for (const std::uint64_t r : sweep.down) panel.y.categories.push_back(fmt::format("{}", r));
  HeatMap map{.rows = sweep.down.size(), .columns = sweep.across.size()};
  for (const std::uint64_t r : sweep.down)
    for (const std::uint64_t c : sweep.across) {
      const BlockShape block{r, c};
      const bool ordinary = isSame(block, {sweep.rows, 1}) || isSame(block, {1, sweep.columns});
      const auto found =
          std::ranges::find_if(sweep.others, [&](const auto& e) { return isSame(e.block, block); });
      const Expansion* expansion = ordinary                      ? &sweep.ordinary
                                   : found != sweep.others.end() ? &*found
                                                                 : nullptr;
      map.values.push_back(expansion ? static_cast<float>(expansion->errorAt(sweep.budget(share))) : 1.0f);
    }
  map.color = {.quantity = "relative error"};
  map.rendering = HeatMapRendering::kVectorCells;
  panel.heat_map = std::move(map);
  return {
      .name = "soka-shapes",
      .caption = fmt::format(
          "Relative error of sums of Kronecker products with {:g} % of the parameters of {} of {}, over "
          "the shape of the blocks. Blocks of {} x 1 and 1 x {} are the ordinary SVD; of 1 x 1 and {} x {} "
          "a single term costs more than the budget.",
          100 * share, name, input.model, sweep.rows, sweep.columns, sweep.rows, sweep.columns),
      .panels = {std::move(panel)}};
}

std::vector<Figure> figuresOf(const AnalysisInput& input, const std::vector<Sweep>& all) {
  std::vector<Figure> figures = {errorFigure(input, all)};
  const auto swept = std::ranges::find_if(all, [](const Sweep& s) { return s.others.size() > 1; });
  if (swept != all.end())
    figures.push_back(
        shapeFigure(input, input.matrices[static_cast<std::size_t>(swept - all.begin())].name, *swept));
  const double energy = input.parameters.value("energy") / 100;
  std::vector<std::string> names;
  std::vector<double> ranks;
  for (std::size_t i = 0; i < all.size(); ++i) {
    names.push_back(input.matrices[i].name);
    const auto& sigma = all[i].lean.sigma;
    ranks.push_back(100 * static_cast<double>(energyRank(sigma, energy)) / static_cast<double>(sigma.size()));
  }
  Panel profile = layerProfile(names, ranks, {.label = "energy rank of all terms", .unit = "%"});
  if (!profile.lines.empty())
    figures.push_back(
        {.name = "soka-ranks",
         .caption = fmt::format("Share of the Kronecker terms of the leanest block that holds {:g} % "
                                "of the energy, over the layers of {}.",
                                100 * energy, input.model),
         .panels = {std::move(profile)}});
  return figures;
}

std::string noteOf(const AnalysisInput& input, const std::vector<Sweep>& all) {
  const double share = input.parameters.value("budget") / 100;
  std::size_t lean = 0, best = 0, swept = 0, by_shape = 0;
  for (const Sweep& s : all) {
    const double ordinary = s.ordinary.errorAt(s.budget(share));
    lean += s.lean.errorAt(s.budget(share)) < ordinary ? 1 : 0;
    by_shape +=
        s.shuffled_lean.errorAt(s.budget(share)) < s.shuffled_ordinary.errorAt(s.budget(share)) ? 1 : 0;
    if (const Expansion* b = s.best(share)) ++swept, best += b->errorAt(s.budget(share)) < ordinary ? 1 : 0;
  }
  return fmt::format(
      "With {:g} % of the elements as parameters the leanest block has the smaller error than the ordinary "
      "SVD on {} "
      "of {} matrices (on {} with their elements shuffled, which is what the shape alone gives), the best "
      "block of the "
      "sweep on {} of the {} that have one. Terms of the leanest block have 2 sqrt(m n) parameters or more "
      "against m + "
      "n: for square matrices no fewer.",
      100 * share, lean, all.size(), by_shape, best, swept);
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const std::size_t divisors = input.parameters.count("divisors");
  TRY_ASSIGN(const std::vector<Sweep> all,
             forEachMatrix<Sweep>(input, [&](const DenseMatrix& dense, const NamedMatrix&) {
               return sweepOf(dense, divisors, input.stop);
             }));
  return AnalysisResult{
      .tables = {tableOf(input, all)}, .figures = figuresOf(input, all), .notes = {noteOf(input, all)}};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "soka",
    .title = "Kronecker spectrum",
    .paper =
        "Chong, Qu: Singular Value Decomposition on Kronecker Adaptation for Large Language Model "
        "(arXiv:2506.15251)",
    .summary =
        "The terms of the best sum of Kronecker products, their energy and elbow ranks, and the error "
        "over block shapes against the ordinary SVD of as many parameters.",
    .equation =
        "R(W) (m1 n1, m2 n2), its row i + m1 j the block (i, j) of W (m1 m2, n1 n2); R = sum_k s_k a_k "
        "b_k^T; W = sum_k s_k A_k kron B_k with vec A_k = a_k (m1, n1), vec B_k = b_k (m2, n2); a term "
        "has m1 n1 + m2 n2 parameters, one of the SVD m + n; elbow: the value furthest below the chord "
        "of the spectrum",
    .cost =
        "for each block shape m n p + 4/3 p^3 multiplications and p^2 + m n doubles, p = min(m1 n1, m2 n2) "
        "<= sqrt(m n)",
    .unchecked =
        "The adapter's training and its scores (0.99 M parameters, 25 % fewer than LoRA): this looks "
        "at weights, not at updates. The paper's rule for the elbow was not at hand; the chord's is "
        "used.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::soka
