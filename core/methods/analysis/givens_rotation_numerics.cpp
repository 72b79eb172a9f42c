// Givens rotations in float32: what each way to form c and s loses, in itself and in Jacobi's SVD of weights.
#include <cmath>
#include <random>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/summaries.h"
#include "core/methods/support/triangular_block.h"
#include "core/spectra/full_svd.h"
#include "core/spectra/givens.h"
#include "core/spectra/jacobi_sweeps.h"

namespace vitrine::core::methods::givens_rotation_numerics {
namespace {

constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 30};
constexpr double kRounding = 0x1p-24;  // half a unit in the last place of 1
constexpr std::size_t kLeastColumns = 4;
constexpr std::size_t kSweeps = 15;  // cyclic: float32 has converged well before

constexpr Parameter kParameters[] = {
    {.name = "columns",
     .fallback = 96,
     .least = 2,
     .most = 256,
     .unit = "",
     .help = "of a matrix at most: of more, so many are drawn"},
    {.name = "pairs", .fallback = 1e5, .least = 100, .most = 1e6, .unit = "", .help = "(f, g) of each kind"},
    {.name = "seed", .fallback = 0, .least = 0, .most = 1e6, .unit = "", .help = "of pairs and columns"},
};

// Of one form over many pairs.
struct Rounding {
  std::vector<double> drift;  // |c^2 + s^2 - 1| / 2^-24, ascending
  double mean_drift = 0;
  double length = 0;  // largest |r / sqrt(f^2 + g^2) - 1| / 2^-24
};

using Pair = std::pair<float, float>;

std::vector<Pair> normalPairs(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < count; ++i) pairs.emplace_back(normal(random), normal(random));
  return pairs;
}

// Magnitudes evenly over the logarithms of float32's normal numbers, but for the last factor of 2 at the top,
// where r would overflow.
std::vector<Pair> extremePairs(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(-126, 127);
  const auto draw = [&] {
    const double size = std::exp2(exponent(random));
    return static_cast<float>(random() % 2 == 0 ? size : -size);
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < count; ++i) pairs.emplace_back(draw(), draw());
  return pairs;
}

Rounding roundingOf(GivensForm form, const std::vector<Pair>& pairs) {
  Rounding rounding;
  for (const auto& [f, g] : pairs) {
    const Givens<float> turn = givens(f, g, form);
    const double c = double{turn.c}, s = double{turn.s}, exact = std::hypot(double{f}, double{g});
    rounding.drift.push_back(std::abs(c * c + s * s - 1) / kRounding);
    rounding.mean_drift += rounding.drift.back() / static_cast<double>(pairs.size());
    rounding.length = std::max(rounding.length, std::abs(std::abs(double{turn.r}) / exact - 1) / kRounding);
  }
  std::ranges::sort(rounding.drift);
  return rounding;
}

struct FormErrors {
  double absolute = 0;  // largest |error| of a singular value / s1
  double norm = 0;      // | ||A||_F after / before - 1 |
};

struct Study {
  std::vector<std::size_t> columns;             // ascending
  std::vector<std::vector<FormErrors>> errors;  // by columns, by kRotationForms
};

FormErrors formErrors(const Eigen::MatrixXf& block, const Eigen::VectorXd& sigma, RotationForm form,
                      const std::stop_token& stop) {
  const auto history = jacobiSweeps<float>(block, {.form = form, .sweeps = kSweeps}, stop);
  FormErrors errors;
  double squares = 0;
  for (const double s : history.sigma) squares += s * s;
  if (sigma[0] == 0) return errors;
  errors.norm = std::abs(std::sqrt(squares) / sigma.norm() - 1);
  for (Eigen::Index k = 0; k < sigma.size(); ++k)
    errors.absolute =
        std::max(errors.absolute, std::abs(history.sigma[static_cast<std::size_t>(k)] - sigma[k]) / sigma[0]);
  return errors;
}

Result<Study> studyOf(const DenseMatrix& dense, const Parameters& p, const std::stop_token& stop) {
  Study study;
  const std::size_t most = std::min<std::size_t>(p.count("columns"), dense.shortSide());
  for (std::size_t n = most; n == most || n >= kLeastColumns; n /= 2)
    study.columns.insert(study.columns.begin(), n);
  for (const std::size_t n : study.columns) {
    const Eigen::MatrixXf block = triangularBlock(dense, n, p.count("seed"));
    TRY_ASSIGN(const FullSvd svd, fullSvd(Eigen::MatrixXd(block.cast<double>())));
    std::vector<FormErrors>& errors = study.errors.emplace_back();
    for (const RotationForm form : kRotationForms) errors.push_back(formErrors(block, svd.sigma, form, stop));
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the rotations were cancelled");
  }
  return study;
}

struct Kind {
  std::string name;
  std::vector<Rounding> forms;  // by kGivensForms
};

std::vector<Kind> kindsOf(const Parameters& p) {
  std::vector<Kind> kinds = {{"normal numbers", {}}, {"of any magnitude", {}}};
  const std::vector<Pair> pairs[] = {normalPairs(p.count("pairs"), p.count("seed")),
                                     extremePairs(p.count("pairs"), p.count("seed"))};
  for (std::size_t k = 0; k < kinds.size(); ++k)
    for (const GivensForm form : kGivensForms) kinds[k].forms.push_back(roundingOf(form, pairs[k]));
  return kinds;
}

Table roundingTable(const std::vector<Kind>& kinds) {
  Table table{.title = "Rotations in float32, in units of its rounding 2^-24",
              .columns = {{"f, g", "", ""},
                          {"form", "", ""},
                          {"mean drift", "2^-24", "of |c^2 + s^2 - 1|"},
                          {"largest drift", "2^-24", ""},
                          {"largest error of r", "2^-24", "|r / sqrt(f^2 + g^2) - 1|"}},
              .rows = {}};
  for (const Kind& kind : kinds)
    for (std::size_t f = 0; f < kGivensForms.size(); ++f)
      table.rows.push_back({kind.name, std::string(name(kGivensForms[f])), kind.forms[f].mean_drift,
                            kind.forms[f].drift.back(), kind.forms[f].length});
  return table;
}

Table errorTable(const AnalysisInput& input, const std::vector<Study>& all) {
  Table table{.title = "Jacobi's SVD in float32: errors of the singular values by the rotation's form",
              .columns = {{"tensor", "", ""}, {"columns", "", "that were rotated"}},
              .rows = {}};
  for (const RotationForm form : kRotationForms)
    table.columns.push_back({fmt::format("{} / s1", name(form)), "", "largest |error| / s1"});
  for (const RotationForm form : kRotationForms)
    table.columns.push_back(
        {fmt::format("{}, norm", name(form)), "", "how far ||A||_F has drifted, relative"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<Cell>& row = table.rows.emplace_back();
    row = {input.matrices[i].name, static_cast<std::int64_t>(all[i].columns.back())};
    for (const FormErrors& e : all[i].errors.back()) row.push_back(e.absolute);
    for (const FormErrors& e : all[i].errors.back()) row.push_back(e.norm);
  }
  return table;
}

Panel driftPanel(const Kind& kind) {
  constexpr std::size_t kQuantiles = 101;
  Panel panel;
  panel.x = {.label = "share of pairs", .unit = "%"};
  panel.y = {.label = "|c² + s² - 1| below", .unit = "2⁻²⁴"};
  for (std::size_t f = 0; f < kGivensForms.size(); ++f) {
    LineSeries line{.label = std::string(name(kGivensForms[f])), .x = {}, .y = {}};
    for (std::size_t q = 0; q < kQuantiles; ++q) {
      const auto& drift = kind.forms[f].drift;
      line.x.push_back(static_cast<double>(q));
      line.y.push_back(drift[q * (drift.size() - 1) / (kQuantiles - 1)]);
    }
    panel.lines.push_back(unmarked(std::move(line), f));
  }
  return panel;
}

Panel errorPanel(const std::vector<Study>& all) {
  std::vector<std::size_t> columns;
  for (const Study& study : all) columns.insert(columns.end(), study.columns.begin(), study.columns.end());
  std::ranges::sort(columns);
  const auto repeated = std::ranges::unique(columns);
  columns.erase(repeated.begin(), repeated.end());
  Panel panel;
  panel.x = {.label = "columns", .scale = AxisScale::kLog};
  panel.y = {.label = "error / s1", .scale = AxisScale::kLog};
  for (std::size_t f = 0; f < kRotationForms.size(); ++f) {
    std::vector<std::vector<double>> curves;
    for (const Study& study : all) {
      std::vector<double>& curve = curves.emplace_back(columns.size(), std::nan(""));
      for (std::size_t i = 0; i < study.columns.size(); ++i) {
        const double error = study.errors[i][f].absolute;
        const auto at = std::ranges::find(columns, study.columns[i]) - columns.begin();
        if (error > 0) curve[static_cast<std::size_t>(at)] = error;
      }
    }
    const std::vector<double> x(columns.begin(), columns.end());
    panel.lines.push_back(medianWithRange(std::string(name(kRotationForms[f])), x, curves));
  }
  return panel;
}

Figure figureOf(const AnalysisInput& input, const std::vector<Kind>& kinds, const std::vector<Study>& all) {
  return {.name = "givens-rotation-numerics",
          .caption = fmt::format("Rotations in float32. Left: how far c² + s² is from 1 for {} random pairs "
                                 "f, g of normal numbers, by the "
                                 "form in which c and s are computed. Right: largest error of a singular "
                                 "value by {} cyclic sweeps of "
                                 "one-sided Jacobi on as many columns of {} matrices of {}, against double "
                                 "precision; median, and range "
                                 "over the matrices.",
                                 input.parameters.count("pairs"), kSweeps, all.size(), input.model),
          .panels = {driftPanel(kinds.front()), errorPanel(all)}};
}

std::string noteOf(const std::vector<Kind>& kinds, const std::vector<Study>& all) {
  std::string text = fmt::format(
      "Mean drift of c^2 + s^2 on normal numbers: divide {:.3f}, reciprocal {:.3f}, textbook {:.3f} (2^-24). "
      "Median error of "
      "the singular values / s1:",
      kinds[0].forms[0].mean_drift, kinds[0].forms[1].mean_drift, kinds[0].forms[2].mean_drift);
  for (std::size_t f = 0; f < kRotationForms.size(); ++f) {
    std::vector<double> errors;
    for (const Study& study : all) errors.push_back(study.errors.back()[f].absolute);
    text += fmt::format("{} {} {:.2e}", f == 0 ? "" : ",", name(kRotationForms[f]), finiteMedian(errors));
  }
  return text +
         ". Rutishauser's form adds a small change to each element instead of multiplying it by c near 1, "
         "whose "
         "rounding repeats from rotation to rotation.";
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  TRY_ASSIGN(const std::vector<Study> all,
             forEachMatrix<Study>(input, [&](const DenseMatrix& dense, const NamedMatrix&) {
               return studyOf(dense, input.parameters, input.stop);
             }));
  const std::vector<Kind> kinds = kindsOf(input.parameters);
  return AnalysisResult{.tables = {roundingTable(kinds), errorTable(input, all)},
                        .figures = {figureOf(input, kinds, all)},
                        .notes = {noteOf(kinds, all)}};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "givens-rotation-numerics",
    .title = "Rounding of Givens rotations",
    .paper = "Pereira, Lotfi, Langou: Numerical analysis of Givens rotation (arXiv:2211.04010)",
    .summary =
        "How far float32 rotations are from orthogonal by the form of c and s, and what that does to the "
        "singular "
        "values of one-sided Jacobi on weights.",
    .equation =
        "d = sqrt(f^2 + g^2); divide: c = |f| / d, r = sign(f) d, s = g / r; reciprocal: p = 1 / d, c = |f| "
        "p, s = "
        "sign(f) g p; textbook: t = g / f, c = 1 / sqrt(1 + t^2), s = c t (f and g exchanged where |g| > "
        "|f|); f, "
        "g times a power of two where squares would over- or underflow. Jacobi: (f, g) = (|zeta| + sqrt(1 + "
        "zeta^2), sign(zeta)), columns times c, s; Rutishauser: tau = s / (1 + c), a - s (b + tau a), b + s "
        "(a - "
        "tau b)",
    .cost =
        "4 forms times 15 sweeps of n (n - 1) / 2 pairs, 7 n multiplications each, n = columns, and as much "
        "again for "
        "smaller n; m n^2 for the QR of the matrix",
    .unchecked =
        "The paper's bounds for each form and complex rotations. Formulas are from memory; what is asserted "
        "is "
        "what float32 here does with them. On a GPU the forms are SmallSvd's (core/spectra/small_svd.h); "
        "this "
        "method runs on the CPU.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::givens_rotation_numerics
