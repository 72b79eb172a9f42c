// Meta-factorization: randomized SVD, generalized Nystroem and CUR as one formula, against the best error.
#include <cmath>
#include <map>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/summaries.h"
#include "core/spectra/energy_curve.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/sketched_factorization.h"

namespace vitrine::core::methods::meta_factorization {
namespace {

// Twice that in double precision, a matrix and what an approximation leaves of it.
constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 25};
constexpr std::size_t kListed = 6;  // picks in a table
constexpr std::size_t kDrawn = 16;  // picks in a figure

constexpr Parameter kParameters[] = {
    {.name = "rank", .fallback = 16, .least = 1, .most = 512, .unit = "", .help = "of the table"},
    {.name = "most_rank", .fallback = 128, .least = 1, .most = 1024, .unit = "", .help = "of the figure"},
    {.name = "oversampling",
     .fallback = 8,
     .least = 0,
     .most = 256,
     .unit = "",
     .help = "columns of a sketch beyond the rank"},
    {.name = "power",
     .fallback = 1,
     .least = 0,
     .most = 8,
     .unit = "",
     .help = "iterations of the randomized SVD"},
    {.name = "seed", .fallback = 0, .least = 0, .most = 1e6, .unit = "", .help = "of the sketches"},
};

struct Errors {
  double best = 0, randomized = 0, nystroem = 0, cur = 0;
  double projected = 0;  // CUR with the best core
};

struct Study {
  std::map<std::size_t, Errors> errors;          // by rank
  CurChoice choice;                              // of the table's rank
  double longest_columns = 0, longest_rows = 0;  // share of the picks that are among as many longest ones
};

struct Settings {
  std::size_t rank = 0, most_rank = 0, power = 0;
  Eigen::Index oversampling = 0;
  std::uint64_t seed = 0;
};

Settings settingsOf(const Parameters& p) {
  return {.rank = p.count("rank"),
          .most_rank = p.count("most_rank"),
          .power = p.count("power"),
          .oversampling = static_cast<Eigen::Index>(p.count("oversampling")),
          .seed = p.count("seed")};
}

// 1, 2, 4 .. to `most` and the table's, none beyond the short side.
std::vector<std::size_t> ranksOf(const Settings& settings, std::size_t short_side) {
  std::vector<std::size_t> ranks = {std::min(settings.rank, short_side)};
  for (std::size_t k = 1; k <= std::min(settings.most_rank, short_side); k *= 2) ranks.push_back(k);
  std::ranges::sort(ranks);
  const auto repeated = std::ranges::unique(ranks);
  ranks.erase(repeated.begin(), repeated.end());
  return ranks;
}

// Share of `picked` that is among the |picked| greatest of `lengths`.
double shareOfLongest(const Eigen::VectorXd& lengths, const std::vector<Eigen::Index>& picked) {
  std::vector<double> sorted(lengths.data(), lengths.data() + lengths.size());
  std::ranges::sort(sorted, std::greater<>());
  const double least = sorted[picked.size() - 1];
  const auto among = std::ranges::count_if(picked, [&](Eigen::Index i) { return lengths[i] >= least; });
  return static_cast<double>(among) / static_cast<double>(picked.size());
}

Result<Errors> errorsOf(const Eigen::MatrixXd& a, const Spectrum& spectrum, std::size_t rank,
                        const Settings& settings, const CurChoice& choice) {
  const auto k = static_cast<Eigen::Index>(rank);
  TRY_ASSIGN(const auto randomized,
             randomizedSvd(a, k, settings.oversampling, settings.power, settings.seed));
  TRY_ASSIGN(const auto nystroem, generalizedNystroem(a, k, settings.oversampling, settings.seed));
  TRY_ASSIGN(const auto cur, curFactors(a, choice));
  return Errors{.best = truncationError(spectrum.sigma, rank),
                .randomized = relativeError(a, randomized),
                .nystroem = relativeError(a, nystroem),
                .cur = relativeError(a, cur),
                .projected = relativeError(a, curProjection(a, choice))};
}

Result<Study> studyOf(const DenseMatrix& dense, const Settings& settings, const std::stop_token& stop) {
  TRY_ASSIGN(const Spectrum spectrum, lapackSpectrum(dense, stop));
  const Eigen::MatrixXd a = toDouble(dense);
  Study study;
  for (const std::size_t k : ranksOf(settings, dense.shortSide())) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the factorizations were cancelled");
    const CurChoice choice = curChoice(a, static_cast<Eigen::Index>(k), settings.oversampling, settings.seed);
    TRY_ASSIGN(study.errors[k], errorsOf(a, spectrum, k, settings, choice));
    if (k == std::min<std::size_t>(settings.rank, dense.shortSide())) study.choice = choice;
  }
  study.longest_columns = shareOfLongest(a.colwise().squaredNorm(), study.choice.columns);
  study.longest_rows = shareOfLongest(a.rowwise().squaredNorm(), study.choice.rows);
  return study;
}

std::string listOf(const std::vector<Eigen::Index>& picked) {
  std::string list;
  for (std::size_t i = 0; i < std::min(kListed, picked.size()); ++i)
    list += fmt::format("{}{}", i == 0 ? "" : ",", picked[i]);
  return picked.size() > kListed ? list + ".." : list;
}

Table errorTable(const AnalysisInput& input, const std::vector<Study>& all) {
  Table table{
      .title = fmt::format("Relative errors of approximations of rank {}", input.parameters.count("rank")),
      .columns = {{"tensor", "", ""},
                  {"rank", "", "or the short side, where that is smaller"},
                  {"best", "", "the truncated SVD's ||A - A_k||_F / ||A||_F: no other has less"},
                  {"randomized SVD", "", ""},
                  {"Nystroem", "", "(A Y)(X^T A Y)^+ (X^T A) with random X, Y"},
                  {"CUR", "", "C (A_IJ)^+ R, rows and columns by pivoted QR"},
                  {"CUR, best core", "", "C (C^+ A R^+) R of the same rows and columns"},
                  {"columns", "", "picked, those first that were picked first"},
                  {"rows", "", "the same"},
                  {"longest columns", "%", "of the picks that are among as many longest columns"},
                  {"longest rows", "%", "the same of rows"}},
      .rows = {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto k = all[i].choice.columns.size();
    const Errors& e = all[i].errors.at(k);
    table.rows.push_back({input.matrices[i].name, static_cast<std::int64_t>(k), e.best, e.randomized,
                          e.nystroem, e.cur, e.projected, listOf(all[i].choice.columns),
                          listOf(all[i].choice.rows), 100 * all[i].longest_columns,
                          100 * all[i].longest_rows});
  }
  return table;
}

// Leading terms, in thousands of millions.
Table costTable(const AnalysisInput& input, const Settings& settings) {
  Table table{.title = "Multiplications",
              .columns = {{"shape", "", ""},
                          {"truncated SVD", "1e9", "3 m n^2 + 10 n^3 (Golub & Van Loan's R-SVD)"},
                          {"randomized SVD", "1e9", "(2 power + 2) m n l, l = rank + oversampling"},
                          {"Nystroem", "1e9", "m n (rank + l)"},
                          {"CUR", "1e9", "m n l; its factors are the matrix's own"},
                          {"reads", "", "of the matrix: randomized SVD, Nystroem, CUR"}},
              .rows = {}};
  std::map<std::pair<std::uint64_t, std::uint64_t>, bool> shapes;
  for (const NamedMatrix& matrix : input.matrices) shapes[{matrix.rows, matrix.columns}] = true;
  for (const auto& [shape, unused] : shapes) {
    const double m = static_cast<double>(std::max(shape.first, shape.second));
    const double n = static_cast<double>(std::min(shape.first, shape.second));
    const double k = std::min(static_cast<double>(settings.rank), n);
    const double l = k + static_cast<double>(settings.oversampling), q = static_cast<double>(settings.power);
    table.rows.push_back({fmt::format("{} x {}", shape.first, shape.second),
                          1e-9 * (3 * m * n * n + 10 * n * n * n), 1e-9 * (2 * q + 2) * m * n * l,
                          1e-9 * m * n * (k + l), 1e-9 * m * n * l,
                          fmt::format("{}, 1, 1 and its picks", 2 * settings.power + 2)});
  }
  return table;
}

Figure errorFigure(const AnalysisInput& input, const std::vector<Study>& all) {
  std::map<std::size_t, bool> ranks;
  for (const Study& study : all)
    for (const auto& [k, unused] : study.errors) ranks[k] = true;
  std::vector<double> x;
  for (const auto& [k, unused] : ranks) x.push_back(static_cast<double>(k));
  const auto curvesOf = [&](double Errors::*kind) {
    std::vector<std::vector<double>> curves;
    for (const Study& study : all) {
      std::vector<double>& curve = curves.emplace_back();
      for (const auto& [k, unused] : ranks) {
        const auto found = study.errors.find(k);
        const double error = found == study.errors.end() ? std::nan("") : found->second.*kind;
        curve.push_back(error > 1e-12 ? error : std::nan(""));
      }
    }
    return curves;
  };
  Panel panel;
  panel.x = {.label = "rank", .scale = AxisScale::kLog};
  panel.y = {.label = "relative error"};
  panel.lines = {medianWithRange("truncated SVD", x, curvesOf(&Errors::best)),
                 medianWithRange("randomized SVD", x, curvesOf(&Errors::randomized)),
                 medianWithRange("generalized Nyström", x, curvesOf(&Errors::nystroem)),
                 medianWithRange("CUR", x, curvesOf(&Errors::cur)),
                 medianWithRange("CUR, best core", x, curvesOf(&Errors::projected))};
  return {.name = "meta-factorization",
          .caption = fmt::format(
              "Relative error of approximations (A Y)(X^T A Y)^+(X^T A) of {} matrices of {} over "
              "their rank, against the best, the truncated SVD; median, and range over the "
              "matrices ({}).",
              all.size(), input.model, input.parameters.text()),
          .panels = {std::move(panel)}};
}

// The columns that are picked most often among the matrices of the most common width.
struct Picks {
  std::uint64_t width = 0;
  std::size_t matrices = 0, picks = 0;
  std::vector<std::pair<std::size_t, Eigen::Index>> times;  // and column, most often first
};

Picks picksOf(const AnalysisInput& input, const std::vector<Study>& all) {
  std::map<std::uint64_t, std::size_t> widths;
  for (const NamedMatrix& matrix : input.matrices) ++widths[matrix.columns];
  const auto common = std::ranges::max_element(widths, {}, [](const auto& w) { return w.second; });
  Picks picks{.width = common->first, .matrices = common->second, .picks = 0, .times = {}};
  std::map<Eigen::Index, std::size_t> times;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (input.matrices[i].columns != picks.width) continue;
    picks.picks += all[i].choice.columns.size();
    for (const Eigen::Index c : all[i].choice.columns) ++times[c];
  }
  for (const auto& [column, count] : times) picks.times.emplace_back(count, column);
  std::ranges::stable_sort(picks.times, std::greater<>(), [](const auto& p) { return p.first; });
  return picks;
}

double expectedPicks(const Picks& picks) {
  return static_cast<double>(picks.picks) / static_cast<double>(picks.width);
}

Figure pickFigure(const AnalysisInput& input, const Picks& picks) {
  Panel panel;
  panel.x = {.label = "column"};
  panel.y = {.label = "matrices that pick it", .minimum = 0.0};
  BarSeries bars{.label = "picked", .values = {}};
  for (std::size_t i = 0; i < std::min(kDrawn, picks.times.size()); ++i) {
    panel.x.categories.push_back(fmt::format("{}", picks.times[i].second));
    bars.values.push_back(static_cast<double>(picks.times[i].first));
  }
  panel.bars = {std::move(bars)};
  panel.annotations.push_back(
      {.kind = AnnotationKind::kHorizontalLine, .at = {0, expectedPicks(picks)}, .text = "at random"});
  return {.name = "meta-factorization-picks",
          .caption =
              fmt::format("The columns that CUR of rank {} picks most often in the {} matrices of {} with {} "
                          "columns, and how often a column would be picked at random.",
                          input.parameters.count("rank"), picks.matrices, input.model, picks.width),
          .panels = {std::move(panel)}};
}

std::vector<std::string> notesOf(const AnalysisInput& input, const std::vector<Study>& all,
                                 const Picks& picks) {
  const auto medianRatio = [&](double Errors::*kind) {
    std::vector<double> ratios;
    for (const Study& study : all) {
      const Errors& e = study.errors.at(study.choice.columns.size());
      if (e.best > 1e-6) ratios.push_back(e.*kind / e.best);
    }
    return finiteMedian(ratios);
  };
  std::vector<std::string> notes;
  if (const double randomized = medianRatio(&Errors::randomized); std::isfinite(randomized))
    notes.push_back(
        fmt::format("At rank {} the median error is {:.3f} times the best for the randomized SVD, {:.3f} for "
                    "Nystroem, {:.3f} "
                    "for CUR and {:.3f} with its best core. An error above 1 is worse than no approximation: "
                    "(X^T A Y)^+ enlarges "
                    "what the rank leaves out, which in weights of slow decay is most.",
                    input.parameters.count("rank"), randomized, medianRatio(&Errors::nystroem),
                    medianRatio(&Errors::cur), medianRatio(&Errors::projected)));
  notes.push_back(fmt::format(
      "Of the {} matrices with {} columns, {} pick column {}, where {:.1f} would at random.", picks.matrices,
      picks.width, picks.times.front().first, picks.times.front().second, expectedPicks(picks)));
  return notes;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const Settings settings = settingsOf(input.parameters);
  TRY_ASSIGN(const std::vector<Study> all,
             forEachMatrix<Study>(input, [&](const DenseMatrix& dense, const NamedMatrix&) {
               return studyOf(dense, settings, input.stop);
             }));
  const Picks picks = picksOf(input, all);
  return AnalysisResult{.tables = {errorTable(input, all), costTable(input, settings)},
                        .figures = {errorFigure(input, all), pickFigure(input, picks)},
                        .notes = notesOf(input, all, picks)};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "meta-factorization",
    .title = "Meta-factorization",
    .paper = "Karpowicz: A theory of meta-factorization (arXiv:2111.14385)",
    .summary =
        "The error of truncated SVD, randomized SVD, generalized Nyström and CUR by rank, what each "
        "multiplies, and which rows and columns CUR picks.",
    .equation =
        "A (m, n) ~ (A Y)(X^T A Y)^+ (X^T A), exact where rank(X^T A Y) = rank(A); X (m, l), Y (n, k) "
        "random: generalized Nyström; of unit vectors: CUR, C (A_IJ)^+ R; errors ||A - A'||_F / ||A||_F",
    .cost =
        "for each rank m n (rank + oversampling) (2 power + 5) and 3 m n rank multiplications for the "
        "errors; "
        "2 m n doubles",
    .unchecked =
        "Time, which depends on the machine: the multiplications are counted instead. The paper's other "
        "factorizations (UTV, and the proofs of its equations). Formulas from memory of the abstract's "
        "theory, held to their exactness by tests.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::meta_factorization
