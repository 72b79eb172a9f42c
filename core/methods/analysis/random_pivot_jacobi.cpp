// One-sided Jacobi and Gram-Schmidt by pairs: what the order of the pairs does, and what float32 loses.
#include <cmath>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/summaries.h"
#include "core/methods/support/triangular_block.h"
#include "core/spectra/full_svd.h"
#include "core/spectra/jacobi_sweeps.h"

namespace vitrine::core::methods::random_pivot_jacobi {
namespace {

constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 30};
constexpr double kConvergedSingle = 1e-12, kConvergedDouble = 1e-24;  // of off^2 / ||G||^2

constexpr Parameter kParameters[] = {
    {.name = "columns",
     .fallback = 48,
     .least = 2,
     .most = 128,
     .unit = "",
     .help = "of a matrix at most: of more, so many are drawn"},
    {.name = "sweeps", .fallback = 40, .least = 1, .most = 200, .unit = "", .help = "of n (n - 1) / 2 pairs"},
    {.name = "seed", .fallback = 0, .least = 0, .most = 1e6, .unit = "", .help = "of columns and pairs"},
};

struct Run {
  std::vector<double> off, potential;
  double error = 0;  // of the singular values: the largest difference over s1
};

struct Study {
  std::size_t columns = 0;
  std::vector<Run> in_double, in_float;  // by kPivotRules
  Run triangular;                        // random pairs, double
};

template <typename T>
Run runOf(const Eigen::MatrixXf& block, const JacobiOptions& options, const Eigen::VectorXd& sigma,
          const std::stop_token& stop) {
  const JacobiHistory<T> history = jacobiSweeps<T>(block.cast<T>(), options, stop);
  Run run{.off = history.off, .potential = history.potential, .error = 0};
  for (Eigen::Index k = 0; k < sigma.size() && sigma[0] > 0; ++k)
    run.error =
        std::max(run.error, std::abs(history.sigma[static_cast<std::size_t>(k)] - sigma[k]) / sigma[0]);
  return run;
}

Result<Study> studyOf(const DenseMatrix& dense, const Parameters& p, const std::stop_token& stop) {
  const Eigen::MatrixXf block = triangularBlock(dense, p.count("columns"), p.count("seed"));
  TRY_ASSIGN(const FullSvd svd, fullSvd(Eigen::MatrixXd(block.cast<double>())));
  Study study{.columns = static_cast<std::size_t>(block.cols())};
  JacobiOptions options{.sweeps = p.count("sweeps"), .seed = p.count("seed")};
  for (const PivotRule rule : kPivotRules) {
    options.rule = rule;
    study.in_double.push_back(runOf<double>(block, options, svd.sigma, stop));
    study.in_float.push_back(runOf<float>(block, options, svd.sigma, stop));
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the sweeps were cancelled");
  }
  options.rule = PivotRule::kRandom;
  options.factor = PairFactor::kTriangular;
  study.triangular = runOf<double>(block, options, svd.sigma, stop);
  return study;
}

// The sweeps until off^2 is below `least`; NaN where it never is.
double sweepsUntil(const Run& run, double least) {
  for (std::size_t t = 0; t < run.off.size(); ++t)
    if (run.off[t] <= least) return static_cast<double>(t);
  return std::nan("");
}

Table sweepTable(const AnalysisInput& input, const std::vector<Study>& all) {
  Table table{
      .title = fmt::format("Sweeps until the mass off the diagonal is below {:g} of ||G||^2 (double) or {:g} "
                           "(float32)",
                           kConvergedDouble, kConvergedSingle),
      .columns = {{"tensor", "", ""}, {"columns", "", "that were rotated"}},
      .rows = {}};
  for (const PivotRule rule : kPivotRules)
    table.columns.push_back({std::string(name(rule)), "sweeps", "double precision"});
  for (const PivotRule rule : kPivotRules)
    table.columns.push_back({fmt::format("{}, f32", name(rule)), "sweeps", "float32"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<Cell>& row = table.rows.emplace_back();
    row = {input.matrices[i].name, static_cast<std::int64_t>(all[i].columns)};
    for (const Run& run : all[i].in_double) row.push_back(sweepsUntil(run, kConvergedDouble));
    for (const Run& run : all[i].in_float) row.push_back(sweepsUntil(run, kConvergedSingle));
  }
  return table;
}

Table errorTable(const AnalysisInput& input, const std::vector<Study>& all) {
  Table table{.title = "Largest error of a singular value / s1, against LAPACK in double precision",
              .columns = {{"tensor", "", ""}},
              .rows = {}};
  for (const char* precision : {"f64", "f32"})
    for (const PivotRule rule : kPivotRules)
      table.columns.push_back({fmt::format("{}, {}", name(rule), precision), "", "after the last sweep"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<Cell>& row = table.rows.emplace_back();
    row = {input.matrices[i].name};
    for (const auto* runs : {&all[i].in_double, &all[i].in_float})
      for (const Run& run : *runs) row.push_back(run.error);
  }
  return table;
}

// Of one rule over the sweeps; what is at rounding level ends a line.
template <typename Choose>
std::vector<std::vector<double>> curvesOf(const std::vector<Study>& all, std::vector<double> Run::*what,
                                          double least, const Choose& choose) {
  std::vector<std::vector<double>> curves;
  for (const Study& study : all) {
    std::vector<double>& curve = curves.emplace_back(choose(study).*what);
    for (double& value : curve)
      if (!(value > least)) value = std::nan("");
  }
  return curves;
}

// e^-t from where the random rule starts: (1 - 2 / (n (n - 1)))^(t n (n - 1) / 2).
LineSeries provedLine(const LineSeries& from, std::size_t columns) {
  const double pairs = 0.5 * static_cast<double>(columns) * static_cast<double>(columns - 1);
  LineSeries line{.label = "expected of random pairs", .x = from.x, .y = {}};
  for (const double t : from.x) line.y.push_back(from.y.front() * std::pow(1 - 1 / pairs, pairs * t));
  return dashed(std::move(line), 4);
}

Panel offPanel(const std::vector<Study>& all, bool single, const std::vector<double>& x) {
  Panel panel;
  panel.title = single ? "float32" : "double";
  panel.x = {.label = "sweep"};
  panel.y = {.label = "off-diagonal mass", .scale = AxisScale::kLog};
  for (std::size_t r = 0; r < kPivotRules.size(); ++r) {
    const auto curves = curvesOf(all, &Run::off, single ? 1e-16 : 1e-32, [&](const Study& s) -> const Run& {
      return single ? s.in_float[r] : s.in_double[r];
    });
    panel.lines.push_back(unmarked(medianWithRange(std::string(name(kPivotRules[r])), x, curves), r));
  }
  if (all.front().columns > 2) panel.lines.push_back(provedLine(panel.lines[2], all.front().columns));
  return panel;
}

Panel potentialPanel(const std::vector<Study>& all, const std::vector<double>& x) {
  Panel panel;
  panel.x = {.label = "sweep"};
  panel.y = {.label = "ln Hadamard ratio", .scale = AxisScale::kLog};
  constexpr std::size_t kRandomAt = 2;
  panel.lines = {
      medianWithRange("rotations: SVD", x,
                      curvesOf(all, &Run::potential, 1e-15,
                               [](const Study& s) -> const Run& { return s.in_double[kRandomAt]; })),
      medianWithRange(
          "triangular: QR", x,
          curvesOf(all, &Run::potential, 1e-15, [](const Study& s) -> const Run& { return s.triangular; }))};
  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    panel.lines[i] = unmarked(std::move(panel.lines[i]), i);
    for (auto* values : {&panel.lines[i].y, &panel.lines[i].low, &panel.lines[i].high})
      for (double& value : *values)
        if (!std::isfinite(value)) value = std::nan("");
  }
  return panel;
}

Figure figureOf(const AnalysisInput& input, const std::vector<Study>& all) {
  std::vector<double> x;
  for (std::size_t t = 0; t <= input.parameters.count("sweeps"); ++t) x.push_back(static_cast<double>(t));
  return {
      .name = "random-pivot-jacobi",
      .caption = fmt::format("One-sided Jacobi on at most {} columns of {} matrices of {}: squared mass off "
                             "the diagonal of the Gram "
                             "matrix over its norm, by sweep and rule of pivoting, in double precision and "
                             "float32, with the exact "
                             "expectation for random pairs; and the logarithm of the Hadamard ratio, which "
                             "rotations and triangular "
                             "factors on random pairs lower by one law. Median, and range over the matrices.",
                             input.parameters.count("columns"), all.size(), input.model),
      .panels = {offPanel(all, false, x), offPanel(all, true, x), potentialPanel(all, x)}};
}

// The slope of ln off^2 of random pairs between the third sweep and where rounding begins.
double rateOf(const Study& study) {
  const std::vector<double>& off = study.in_double[2].off;
  std::size_t last = 0;
  while (last + 1 < off.size() && off[last + 1] > 1e-26) ++last;
  return last > 4 ? std::log(off[last] / off[3]) / static_cast<double>(last - 3) : std::nan("");
}

std::vector<std::string> notesOf(const std::vector<Study>& all) {
  std::vector<double> sweeps[std::size(kPivotRules)], errors[std::size(kPivotRules)], rates;
  for (const Study& s : all) {
    rates.push_back(rateOf(s));
    for (std::size_t r = 0; r < kPivotRules.size(); ++r) {
      sweeps[r].push_back(sweepsUntil(s.in_double[r], kConvergedDouble));
      errors[r].push_back(s.in_float[r].error);
    }
  }
  std::string text =
      "Median sweeps to convergence in double precision (where reached) and error of float32's values / s1:";
  for (std::size_t r = 0; r < kPivotRules.size(); ++r) {
    const double count = finiteMedian(sweeps[r]);
    text += fmt::format("{} {} {}, {:.1e}", r == 0 ? "" : ";", name(kPivotRules[r]),
                        std::isfinite(count) ? fmt::format("{:.0f}", count) : "-", finiteMedian(errors[r]));
  }
  std::vector<std::string> notes = {text + "."};
  if (const double rate = finiteMedian(rates); std::isfinite(rate))
    notes.push_back(
        fmt::format("Random pairs lower the mass by e^{:.2f} a sweep (expected in the mean: e^-1; what is "
                    "typical lies below the "
                    "mean). Cyclic and greedy orders converge quadratically at the end: random pivoting buys "
                    "a proof, not speed.",
                    rate));
  return notes;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  TRY_ASSIGN(const std::vector<Study> all,
             forEachMatrix<Study>(input, [&](const DenseMatrix& dense, const NamedMatrix&) {
               return studyOf(dense, input.parameters, input.stop);
             }));
  return AnalysisResult{.tables = {sweepTable(input, all), errorTable(input, all)},
                        .figures = {figureOf(input, all)},
                        .notes = notesOf(all)};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "random-pivot-jacobi",
    .title = "Jacobi with random pivots",
    .paper =
        "Detherage, Shah: A Unified Perspective on Orthogonalization and Diagonalization (arXiv:2505.02023)",
    .summary =
        "The mass off the diagonal per sweep for cyclic, greedy, random and random disjoint pairs, in double "
        "precision and float32, and the QR that triangular factors on random pairs converge to.",
    .equation =
        "A (n, n) <- A J, J in columns i, j: zeta = (|A_j|^2 - |A_i|^2) / (2 A_i.A_j), t = sign(zeta) / "
        "(|zeta| "
        "+ sqrt(1 + zeta^2)), c = 1 / sqrt(1 + t^2), s = c t; or A_j -= (A_i.A_j / |A_i|^2) A_i. Off mass: "
        "sum_{i != j} (A_i.A_j)^2 / ||A^T A||_F^2, for random rotations 1 - 2 / (n (n - 1)) a pair in "
        "expectation; ln Hadamard ratio: sum ln |A_i|^2 - ln det A^T A, lower by -ln(1 - cos^2) a pair",
    .cost =
        "9 runs of sweeps n (n - 1) / 2 pairs, 7 n multiplications each (greedy 2 n^2 more), n = columns; m "
        "n^2 for "
        "the QR of the matrix",
    .unchecked =
        "The paper's constants and its bound of stability, whose text was not at hand: shown are the exact "
        "expectation of rotations and float32 against double precision. Random disjoint pairs on a GPU are "
        "SmallSvd's (core/spectra/small_svd.h); this method runs on the CPU.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::random_pivot_jacobi
