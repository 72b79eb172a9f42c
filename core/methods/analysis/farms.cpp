// FARMS: the exponent of a spectrum's tail without the bias of the matrix's aspect ratio.
#include <cmath>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/suited_matrices.h"
#include "core/methods/support/summaries.h"
#include "core/spectra/aspect_ratio.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/power_law.h"

namespace vitrine::core::methods::farms {
namespace {

constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 30, .short_side = 8'192};
constexpr std::uint64_t kLeastSide = 32, kMostSide = 1'024;  // of the common window, where none is asked for
constexpr std::uint64_t kCuts[] = {1, 2, 4, 8};              // of the short side
constexpr std::uint64_t kLeastCut = 16;                      // rows that are left
constexpr std::uint64_t kMostCut = std::uint64_t{1} << 23;   // elements of a matrix that is cut

constexpr Parameter kParameters[] = {
    {.name = "ratio",
     .fallback = 1,
     .least = 1,
     .most = 16,
     .unit = "",
     .help = "long side / short side of the windows",
     .whole = false},
    {.name = "window",
     .fallback = 0,
     .least = 0,
     .most = 8192,
     .unit = "",
     .help = "their short side; 0: the least of the matrices' short sides from 32 on, at most 1024"},
    {.name = "positions",
     .fallback = 5,
     .least = 1,
     .most = 50,
     .unit = "",
     .help = "of windows along each side"},
};

struct Exponents {
  std::optional<PowerLaw> law;
  std::optional<double> hill;
};

struct Study {
  Exponents plain, farms;
  WindowShape window;
  std::size_t pooled = 0;                    // values
  std::vector<double> cut_plain, cut_farms;  // Hill's exponent by kCuts
};

struct Settings {
  std::uint64_t side = 0;
  double ratio = 1;
  std::size_t positions = 1;
};

double orNone(const std::optional<double>& value) {
  return value ? *value : std::nan("");
}

Exponents exponentsOf(const std::vector<double>& sigma) {
  const double floor = sigma.empty() ? 0 : 1e-7 * sigma.front();
  return {.law = fitPowerLaw(sigma, {.floor = floor}), .hill = hillAlpha(sigma, floor)};
}

// The matrix itself with a part of its short side left out: a truth that the exponent should not depend on.
Result<void> addCuts(const DenseMatrix& matrix, const Settings& settings, const std::stop_token& stop,
                     Study& study) {
  study.cut_plain.assign(std::size(kCuts), std::nan(""));
  study.cut_farms = study.cut_plain;
  const std::uint64_t side = matrix.shortSide() / kCuts[std::size(kCuts) - 1];
  if (side < kLeastCut || matrix.values.size() > kMostCut) return {};
  for (std::size_t c = 0; c < std::size(kCuts); ++c) {
    const std::uint64_t left = matrix.shortSide() / kCuts[c];
    const bool wide = matrix.rows < matrix.columns;
    const DenseMatrix cut = drawnBlock(matrix, wide ? left : matrix.rows, wide ? matrix.columns : left, 1);
    TRY_ASSIGN(const Spectrum plain, lapackSpectrum(cut, stop));
    TRY_ASSIGN(const auto pooled, pooledSpectrum(cut, windowOf(cut.rows, cut.columns, side, settings.ratio),
                                                 settings.positions, stop));
    study.cut_plain[c] = orNone(exponentsOf(plain.sigma).hill);
    study.cut_farms[c] = orNone(exponentsOf(pooled).hill);
  }
  return {};
}

Result<Study> studyOf(const DenseMatrix& matrix, const Settings& settings, const std::stop_token& stop) {
  TRY_ASSIGN(const Spectrum plain, lapackSpectrum(matrix, stop));
  Study study{.plain = exponentsOf(plain.sigma),
              .farms = {},
              .window = windowOf(matrix.rows, matrix.columns, settings.side, settings.ratio)};
  TRY_ASSIGN(const auto pooled, pooledSpectrum(matrix, study.window, settings.positions, stop));
  study.farms = exponentsOf(pooled);
  study.pooled = pooled.size();
  TRY(addCuts(matrix, settings, stop, study));
  return study;
}

// One window for all matrices, so that nothing but their elements differs.
std::uint64_t commonSide(const AnalysisInput& input) {
  if (const std::size_t asked = input.parameters.count("window"); asked > 0) return asked;
  std::uint64_t least = kMostSide;
  for (const NamedMatrix& m : input.matrices)
    if (const std::uint64_t side = std::min(m.rows, m.columns); side >= kLeastSide)
      least = std::min(least, side);
  return least;
}

Table tableOf(const AnalysisInput& input, const std::vector<Study>& all) {
  Table table{.title = "Exponents of the tails of s^2",
              .columns = {{"tensor", "", ""},
                          {"aspect", "", "long side / short side"},
                          {"alpha", "", "of the matrix's own spectrum (Clauset, Shalizi & Newman)"},
                          {"D", "", "Kolmogorov-Smirnov distance of its tail from the law"},
                          {"tail", "", "values in it"},
                          {"FARMS alpha", "", "the same fit to the windows' pooled values"},
                          {"FARMS D", "", ""},
                          {"FARMS tail", "", ""},
                          {"Hill", "", "alpha by Hill's estimate from the upper half of the values"},
                          {"FARMS Hill", "", "the same of the pooled values"},
                          {"window", "", ""},
                          {"pooled", "", "values"}},
              .rows = {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const NamedMatrix& m = input.matrices[i];
    std::vector<Cell>& row = table.rows.emplace_back();
    row = {m.name, static_cast<double>(std::max(m.rows, m.columns)) /
                       static_cast<double>(std::min(m.rows, m.columns))};
    for (const Exponents& e : {all[i].plain, all[i].farms}) {
      row.push_back(e.law ? e.law->alpha : std::nan(""));
      row.push_back(e.law ? e.law->distance : std::nan(""));
      row.push_back(e.law ? static_cast<double>(e.law->tail) : std::nan(""));
    }
    row.push_back(orNone(all[i].plain.hill));
    row.push_back(orNone(all[i].farms.hill));
    row.push_back(fmt::format("{} x {}", all[i].window.rows, all[i].window.columns));
    row.push_back(static_cast<std::int64_t>(all[i].pooled));
  }
  return table;
}

bool hasNumbers(const std::vector<std::vector<double>>& curves) {
  return std::ranges::any_of(curves, [](const auto& c) { return std::isfinite(c.front()); });
}

std::vector<Figure> figuresOf(const AnalysisInput& input, const std::vector<Study>& all) {
  std::vector<std::vector<double>> plain_cuts, farms_cuts;
  std::vector<std::string> names;
  std::vector<double> plain, farms;
  for (std::size_t i = 0; i < all.size(); ++i) {
    plain_cuts.push_back(all[i].cut_plain);
    farms_cuts.push_back(all[i].cut_farms);
    names.push_back(input.matrices[i].name);
    plain.push_back(orNone(all[i].plain.hill));
    farms.push_back(orNone(all[i].farms.hill));
  }
  std::vector<Figure> figures;
  if (hasNumbers(plain_cuts)) {
    Panel cuts;
    cuts.x = {.label = "short side cut by", .scale = AxisScale::kLog};
    cuts.y = {.label = "Hill's alpha"};
    const std::vector<double> x(std::begin(kCuts), std::end(kCuts));
    cuts.lines = {medianWithRange("whole spectrum", x, plain_cuts), medianWithRange("FARMS", x, farms_cuts)};
    figures.push_back(
        {.name = "farms-cuts",
         .caption = fmt::format("Exponent of the tail of weights of {} of which rows or columns of the "
                                "short side were left out at random: of the spectrum of what is left, and "
                                "of square windows of an eighth of the side; median, and range over the "
                                "matrices.",
                                input.model),
         .panels = {std::move(cuts)}});
  }
  Panel before = layerProfile(names, plain, {.label = "Hill's alpha, whole spectrum"});
  Panel after = layerProfile(names, farms, {.label = "Hill's alpha, FARMS"});
  if (before.lines.empty()) return figures;
  figures.push_back(
      {.name = "farms",
       .caption = fmt::format("Exponent of the tail of each weight's spectrum over the layers of {}, of "
                              "the whole matrix and of sub-matrices of one aspect ratio ({}).",
                              input.model, input.parameters.text()),
       .panels = {std::move(before), std::move(after)}});
  return figures;
}

std::string noteOf(const std::vector<Study>& all) {
  std::vector<double> plain, farms;
  for (const Study& s : all) {
    const double before = s.cut_plain.back() - s.cut_plain.front(),
                 after = s.cut_farms.back() - s.cut_farms.front();
    if (!std::isfinite(before) || !std::isfinite(after)) continue;
    plain.push_back(before);
    farms.push_back(after);
  }
  if (plain.empty())
    return "No matrix has a short side of 128 or more, so that none was cut to show the bias.";
  return fmt::format(
      "Leaving out seven eighths of the short side moves Hill's alpha by {:+.2f} (median of {} matrices) "
      "from the whole "
      "spectrum and by {:+.2f} from windows of one shape: the first is the bias of the aspect ratio.",
      finiteMedian(plain), plain.size(), finiteMedian(farms));
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const Settings settings{.side = commonSide(input),
                          .ratio = input.parameters.value("ratio"),
                          .positions = input.parameters.count("positions")};
  TRY_ASSIGN(const std::vector<Study> all,
             forEachMatrix<Study>(input, [&](const DenseMatrix& dense, const NamedMatrix&) {
               return studyOf(dense, settings, input.stop);
             }));
  return AnalysisResult{
      .tables = {tableOf(input, all)}, .figures = figuresOf(input, all), .notes = {noteOf(all)}};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "farms",
    .title = "Tail exponents at one aspect ratio (FARMS)",
    .paper =
        "Hu, Goel, Killiakov, Yang: Eigenspectrum Analysis of Neural Networks without Aspect Ratio Bias "
        "(arXiv:2506.06280)",
    .summary =
        "The exponent of each spectrum's tail from sub-matrices of one shape, beside the plain one, and how "
        "far "
        "cutting a matrix moves either.",
    .equation =
        "windows W[i : i + a, j : j + b] of one shape, a / b = ratio, at `positions` places a side; x = s^2 "
        "of "
        "all windows together; alpha by maximum likelihood at the xmin of least Kolmogorov-Smirnov distance; "
        "Hill: 1 + k / sum_{i <= k} ln(x_i / x_{k+1}), k = n / 2",
    .cost =
        "m n^2 + 4/3 n^3 multiplications, and for each of positions^2 windows of side w (ratio + 4/3) w^3; "
        "n^2 "
        "doubles",
    .unchecked =
        "That layers' learning rates or pruning ratios by these exponents give better models. The paper's "
        "sizes "
        "and numbers of windows were not at hand: one window for all matrices, evenly spread, is ours.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::farms
