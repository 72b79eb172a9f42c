// Random matrix theory of batch Hessians: spikes under noise, and densities by stochastic Lanczos quadrature,
// both on Gram matrices of weights.
#include <cmath>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/suited_matrices.h"
#include "core/methods/support/summaries.h"
#include "core/spectra/dense_product.h"
#include "core/spectra/full_svd.h"
#include "core/spectra/lanczos_quadrature.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/sketched_factorization.h"
#include "core/spectra/spiked_wigner.h"

namespace vitrine::core::methods::rmt_batch_hessian_lr {
namespace {

constexpr std::uint64_t kMostLong = 8'192;
constexpr SizeLimit kLimit{.elements = std::uint64_t{1} << 30};
constexpr double kLevels[] = {0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4};  // the noise's radius / l1

constexpr Parameter kParameters[] = {
    {.name = "size",
     .fallback = 256,
     .least = 8,
     .most = 2048,
     .unit = "",
     .help = "of the Gram matrix at most: larger ones are cut at random"},
    {.name = "spikes",
     .fallback = 4,
     .least = 1,
     .most = 64,
     .unit = "",
     .help = "eigenvalues kept on zeros"},
    {.name = "steps", .fallback = 64, .least = 2, .most = 512, .unit = "", .help = "of Lanczos at most"},
    {.name = "probes", .fallback = 8, .least = 1, .most = 256, .unit = "", .help = "random vectors"},
    {.name = "draws",
     .fallback = 1,
     .least = 1,
     .most = 100,
     .unit = "",
     .help = "of noise, each with its opposite, that an eigenvalue is the mean of"},
    {.name = "seed", .fallback = 0, .least = 0, .most = 1e6, .unit = "", .help = "of noise and vectors"},
};

struct Settings {
  std::uint64_t size = 0, seed = 0;
  std::size_t spikes = 0, steps = 0, probes = 0, draws = 0;
};

// The largest eigenvalue under noise, in units of l1.
struct Level {
  double on_zeros = 0, formula = 0;  // of the first spikes alone: measured, and the paper's
  double whole = 0, with_bulk = 0;   // of all eigenvalues: measured, and by the free convolution
};

struct Study {
  std::uint64_t size = 0;
  bool cut = false;
  std::vector<double> values;         // descending
  std::vector<double> errors;         // of the density by steps: distance / l1
  std::vector<PointDensity> density;  // by steps
  double top_error = 0;               // of the largest point after the last step, relative
  std::vector<Level> levels;
};

std::vector<std::size_t> stepsOf(std::size_t most) {
  std::vector<std::size_t> steps;
  for (std::size_t m = 2; m < most; m *= 2) steps.push_back(m);
  steps.push_back(most);
  return steps;
}

Result<void> addDensities(const DenseMatrix& block, const Settings& settings, Study& study) {
  const Eigen::MatrixXd a = toDouble(block);
  const bool wide = block.rows < block.columns;
  const SymmetricProduct product = [&](const Eigen::VectorXd& v) -> Eigen::VectorXd {
    if (wide) return multiply(a, multiply(a, v, Side::kTransposed));
    return multiply(a, multiply(a, v), Side::kTransposed);
  };
  std::vector<Tridiagonal> runs;
  for (std::size_t p = 0; p < settings.probes; ++p)
    runs.push_back(lanczosTridiagonal(
        product, gaussianSketch(static_cast<Eigen::Index>(study.size), 1, settings.seed + p + 1),
        settings.steps));
  const PointDensity exact = densityOf(study.values);
  for (const std::size_t m : stepsOf(settings.steps)) {
    std::vector<PointDensity> probes;
    for (const Tridiagonal& t : runs) {
      TRY_ASSIGN(PointDensity density, gaussQuadrature(t, m));
      probes.push_back(std::move(density));
    }
    study.density.push_back(averageOf(probes));
    study.errors.push_back(distanceBetween(study.density.back(), exact) / study.values.front());
  }
  study.top_error = std::abs(study.density.back().points.back() / study.values.front() - 1);
  return {};
}

// Over `draws` pairs of opposite noise.
Result<double> meanLargest(const std::vector<double>& values, double radius, const Settings& settings,
                           const std::stop_token& stop) {
  double sum = 0;
  for (std::size_t d = 0; d < settings.draws; ++d)
    for (const double signed_radius : {radius, -radius}) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the noise was cancelled");
      TRY_ASSIGN(const auto found, noisyEigenvalues(values, signed_radius, 1, settings.seed + 1000 + d));
      sum += found[0];
    }
  return sum / static_cast<double>(2 * settings.draws);
}

Result<void> addLevels(const Settings& settings, const std::stop_token& stop, Study& study) {
  const double l1 = study.values.front();
  std::vector<double> spikes = study.values;
  std::fill(spikes.begin() + static_cast<std::ptrdiff_t>(std::min(settings.spikes, spikes.size())),
            spikes.end(), 0.0);
  for (const double level : kLevels) {
    const double radius = level * l1, merged = spikeAboveBulk(study.values, 0, radius);
    TRY_ASSIGN(const double on_zeros, meanLargest(spikes, radius, settings, stop));
    TRY_ASSIGN(const double whole, meanLargest(study.values, radius, settings, stop));
    const double with_bulk = std::isnan(merged) ? bulkEdge(study.values, 0, radius) : merged;
    study.levels.push_back({.on_zeros = on_zeros / l1,
                            .formula = spikedValue(l1, radius) / l1,
                            .whole = whole / l1,
                            .with_bulk = with_bulk / l1});
  }
  return {};
}

Result<Study> studyOf(const DenseMatrix& dense, const Settings& settings, const std::stop_token& stop) {
  const bool wide = dense.rows < dense.columns;
  const DenseMatrix block =
      drawnBlock(dense, wide ? settings.size : kMostLong, wide ? kMostLong : settings.size, settings.seed);
  Study study{.size = block.shortSide(), .cut = block.values.size() < dense.values.size()};
  TRY_ASSIGN(const Spectrum spectrum, lapackSpectrum(block, stop));
  for (const double s : spectrum.sigma) study.values.push_back(s * s);
  if (study.values.front() == 0) return study;
  TRY(addDensities(block, settings, study));
  TRY(addLevels(settings, stop, study));
  return study;
}

// Mean |a / b - 1| over the levels.
double meanError(const Study& study, double Level::*measured, double Level::*predicted) {
  double sum = 0;
  for (const Level& level : study.levels) sum += std::abs(level.*predicted / (level.*measured) - 1);
  return study.levels.empty() ? std::nan("") : sum / static_cast<double>(study.levels.size());
}

Table spikeTable(const AnalysisInput& input, const std::vector<Study>& all) {
  Table table{
      .title = "The largest eigenvalue of Gram matrices under noise: mean error of what is predicted",
      .columns = {{"tensor", "", ""},
                  {"size", "", "of the Gram matrix, P"},
                  {"l1", "", "its largest eigenvalue"},
                  {"l1 / mean", "", "over the mean of all: large for few spikes"},
                  {"spikes on zeros", "%", "l + r^2 / l or 2 r, where only the first spikes are kept"},
                  {"whole spectrum", "%", "the same formula where all eigenvalues are kept"},
                  {"with the bulk", "%", "l + r^2 mean 1 / (l - l_i) there"}},
      .rows = {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Study& s = all[i];
    double mean = 0;
    for (const double value : s.values) mean += value / static_cast<double>(s.values.size());
    table.rows.push_back({input.matrices[i].name, static_cast<std::int64_t>(s.size), s.values.front(),
                          mean > 0 ? s.values.front() / mean : std::nan(""),
                          100 * meanError(s, &Level::on_zeros, &Level::formula),
                          100 * meanError(s, &Level::whole, &Level::formula),
                          100 * meanError(s, &Level::whole, &Level::with_bulk)});
  }
  return table;
}

Table densityTable(const AnalysisInput& input, const std::vector<Study>& all) {
  Table table{.title = "Stochastic Lanczos quadrature: distance from the exact distribution / l1, by steps",
              .columns = {{"tensor", "", ""}},
              .rows = {}};
  const std::vector<std::size_t> steps = stepsOf(input.parameters.count("steps"));
  for (const std::size_t m : steps) table.columns.push_back({fmt::format("{}", m), "", "Lanczos steps"});
  table.columns.push_back({"l1's error", "", "relative, of the largest point after the last step"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<Cell>& row = table.rows.emplace_back();
    row.push_back(input.matrices[i].name);
    for (std::size_t m = 0; m < steps.size(); ++m)
      row.push_back(all[i].errors.empty() ? std::nan("") : all[i].errors[m]);
    row.push_back(all[i].errors.empty() ? std::nan("") : all[i].top_error);
  }
  return table;
}

template <typename Value>
std::vector<std::vector<double>> curvesOf(const std::vector<Study>& all, const Value& value) {
  std::vector<std::vector<double>> curves;
  for (const Study& study : all) {
    if (study.levels.empty()) continue;
    std::vector<double>& curve = curves.emplace_back();
    for (const Level& level : study.levels) curve.push_back(value(level));
  }
  return curves;
}

LineSeries plainLine(std::string label, std::vector<double> x, std::vector<double> y, std::size_t style) {
  return dashed({.label = std::move(label), .x = std::move(x), .y = std::move(y)}, style);
}

Panel spikePanel(const std::vector<Study>& all) {
  const std::vector<double> x(std::begin(kLevels), std::end(kLevels));
  std::vector<double> edge, formula;
  for (const double level : x) {
    edge.push_back(2 * level);
    formula.push_back(spikedValue(1, level));
  }
  Panel panel;
  panel.x = {.label = "radius of the noise r / l1", .scale = AxisScale::kLog};
  panel.y = {.label = "largest eigenvalue / l1", .scale = AxisScale::kLog};
  panel.lines = {
      medianWithRange("measured, spikes on zeros", x,
                      curvesOf(all, [](const Level& l) { return l.on_zeros; })),
      medianWithRange("measured, whole spectrum", x, curvesOf(all, [](const Level& l) { return l.whole; })),
      plainLine("l + r²/l, 2 r", x, formula, 2),
      medianWithRange("with the bulk", x, curvesOf(all, [](const Level& l) { return l.with_bulk; })),
      plainLine("edge 2 r", x, edge, 4)};
  return panel;
}

// r = l1 sqrt(b0 / b): b0 is the batch whose noise has the radius l1.
Panel ratePanel(const std::vector<Study>& all) {
  std::vector<double> x, formula, root, linear;
  for (const double level : kLevels) {
    x.push_back(1 / (level * level));
    formula.push_back(1 / spikedValue(1, level));
    root.push_back(0.5 / level);
    linear.push_back(0.5 / (level * level));
  }
  const auto upToOne = [](std::vector<double> y) {
    for (double& value : y)
      if (value > 1.2) value = std::nan("");
    return y;
  };
  Panel panel;
  panel.x = {.label = "batch b / b0", .scale = AxisScale::kLog};
  panel.y = {.label = "largest stable rate l1 / λ1", .scale = AxisScale::kLog};
  panel.lines = {medianWithRange("measured, spikes on zeros", x,
                                 curvesOf(all, [](const Level& l) { return 1 / l.on_zeros; })),
                 medianWithRange("measured, whole spectrum", x,
                                 curvesOf(all, [](const Level& l) { return 1 / l.whole; })),
                 plainLine("predicted", x, formula, 2), plainLine("∝ √b", x, upToOne(root), 4),
                 plainLine("∝ b", x, upToOne(linear), 5)};
  return panel;
}

Figure spikeFigure(const AnalysisInput& input, const std::vector<Study>& all) {
  return {.name = "rmt-batch-hessian-lr",
          .caption = fmt::format("The largest eigenvalue of Gram matrices of {} weights of {} under "
                                 "symmetric noise of growing radius r, "
                                 "with only the {} largest eigenvalues kept and with all, against the spiked "
                                 "law and its extension by the "
                                 "free convolution; and the inverse, the largest stable rate, over the batch "
                                 "(r² ∝ 1/b). Median, and range "
                                 "over the matrices.",
                                 all.size(), input.model, input.parameters.count("spikes")),
          .panels = {spikePanel(all), ratePanel(all)}};
}

LineSeries stepLine(std::string label, const PointDensity& density, double unit, std::size_t style) {
  LineSeries line{.label = std::move(label), .x = {}, .y = {}};
  double sum = 0;
  for (std::size_t i = 0; i < density.points.size(); ++i) {
    line.x.push_back(density.points[i] / unit);
    line.y.push_back(sum);
    sum += density.weights[i];
    line.x.push_back(density.points[i] / unit);
    line.y.push_back(sum);
  }
  return unmarked(std::move(line), style);
}

Figure densityFigure(const AnalysisInput& input, const std::vector<Study>& all) {
  std::vector<double> x;
  for (const std::size_t m : stepsOf(input.parameters.count("steps"))) x.push_back(static_cast<double>(m));
  std::vector<std::vector<double>> errors;
  for (const Study& study : all)
    if (!study.errors.empty()) errors.push_back(study.errors);
  Panel by_steps;
  by_steps.x = {.label = "Lanczos steps", .scale = AxisScale::kLog};
  by_steps.y = {.label = "distance / l1", .scale = AxisScale::kLog};
  by_steps.lines = {medianWithRange(fmt::format("{} vectors", input.parameters.count("probes")), x, errors)};
  Figure figure{.name = "rmt-batch-hessian-lr-density",
                .caption = fmt::format(
                    "Stochastic Lanczos quadrature of Gram matrices of {} weights of {}: distance of "
                    "the distribution of eigenvalues from the exact one by steps, median and range",
                    all.size(), input.model),
                .panels = {std::move(by_steps)}};
  const auto shown = std::ranges::find_if(all, [](const Study& s) { return !s.errors.empty(); });
  if (shown != all.end()) {
    Panel cdf;
    cdf.x = {.label = "eigenvalue / l1"};
    cdf.y = {.label = "share below", .minimum = 0.0, .maximum = 1.0};
    cdf.lines = {stepLine("exact", densityOf(shown->values), shown->values.front(), 0),
                 stepLine(fmt::format("{:.0f} steps", x[x.size() / 2]), shown->density[x.size() / 2],
                          shown->values.front(), 1)};
    figure.panels.push_back(std::move(cdf));
    figure.caption += fmt::format("; the distribution of {}",
                                  input.matrices[static_cast<std::size_t>(shown - all.begin())].name);
  }
  figure.caption += ".";
  return figure;
}

std::vector<std::string> notesOf(const std::vector<Study>& all) {
  std::vector<double> zeros, whole, bulk, slopes;
  for (const Study& s : all) {
    zeros.push_back(100 * meanError(s, &Level::on_zeros, &Level::formula));
    whole.push_back(100 * meanError(s, &Level::whole, &Level::formula));
    bulk.push_back(100 * meanError(s, &Level::whole, &Level::with_bulk));
    if (s.levels.size() < 2) continue;
    const std::size_t last = std::size(kLevels) - 1;
    slopes.push_back(std::log(s.levels[last].on_zeros / s.levels[last - 1].on_zeros) /
                     (2 * std::log(kLevels[last] / kLevels[last - 1])));
  }
  std::vector<std::string> notes = {
      fmt::format("Mean error of the predicted largest eigenvalue, median over the matrices: {:.2g} % on "
                  "spikes alone, {:.2g} % "
                  "where the weight's whole spectrum stays below them, {:.2g} % there with the bulk's share "
                  "(free convolution). The "
                  "laws are limits: at a size P the edge lies about 1.2 r P^(-2/3) lower (Tracy & Widom).",
                  finiteMedian(zeros), finiteMedian(whole), finiteMedian(bulk))};
  notes.push_back(
      fmt::format("Where noise is strong, 1 / λ1 rises as b^{:.2f}: the edge 2 r gives the square root. A "
                  "spike's r^2 / l is at "
                  "most l, since l > r, so that the formula alone raises 1 / λ1 by no more than a factor of "
                  "2: a linear rule does "
                  "not follow from the largest eigenvalue under this noise.",
                  finiteMedian(slopes)));
  const auto cut = std::ranges::count_if(all, [](const Study& s) { return s.cut; });
  if (cut > 0)
    notes.push_back(fmt::format(
        "{} of {} matrices are looked at in rows and columns drawn at random (`size`).", cut, all.size()));
  return notes;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const Parameters& p = input.parameters;
  const Settings settings{.size = p.count("size"),
                          .seed = p.count("seed"),
                          .spikes = p.count("spikes"),
                          .steps = p.count("steps"),
                          .probes = p.count("probes"),
                          .draws = p.count("draws")};
  TRY_ASSIGN(const std::vector<Study> all,
             forEachMatrix<Study>(input, [&](const DenseMatrix& dense, const NamedMatrix& of) {
               Settings own = settings;
               own.seed = seedOf(of.name, settings.seed);
               return studyOf(dense, own, input.stop);
             }));
  return AnalysisResult{.tables = {spikeTable(input, all), densityTable(input, all)},
                        .figures = {spikeFigure(input, all), densityFigure(input, all)},
                        .notes = notesOf(all)};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "rmt-batch-hessian-lr",
    .title = "Spikes under noise, and densities by Lanczos",
    .paper =
        "Granziol, Zohren, Roberts: Learning Rates as a Function of Batch Size: A Random Matrix Theory "
        "Approach "
        "to Neural Network Training (arXiv:2006.09092)",
    .summary =
        "How symmetric noise moves the largest eigenvalue of a weight's Gram matrix, against the spiked law; "
        "and the error of stochastic Lanczos quadrature by steps.",
    .equation =
        "r = sigma sqrt(P / b); l -> l + r^2 / l where l > r, else 2 r; with a bulk l + r^2 mean 1 / (l - "
        "l_i) "
        "while r^2 mean 1 / (l - l_i)^2 < 1; rate 1 / λ1. T (m, m) of Lanczos from random v = Y diag(theta) "
        "Y^T, density = sum_k Y[0, k]^2 delta(theta_k), averaged over v; distance: integral |F - F'|",
    .cost =
        "P = min(n, size): 44 draws times 4/3 P^3 multiplications, P^2 doubles; probes * steps * (2 m P + 4 "
        "steps "
        "P) for "
        "the density",
    .unchecked =
        "Everything of training: that a batch's Hessian is such a matrix, the largest stable rates, and the "
        "rules for SGD (linear) and Adam (square root) on VGG and WideResNet. Weights' Gram matrices stand "
        "in "
        "for the Hessian, Gaussian noise for that of a batch. Formulas are from memory and held to "
        "simulation.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .limit = kLimit,
    .run = run,
};

}  // namespace vitrine::core::methods::rmt_batch_hessian_lr
