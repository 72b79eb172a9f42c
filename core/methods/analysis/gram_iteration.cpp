// Gram iteration: upper bounds of the largest singular value from a few matrix products.
#include "core/spectra/gram_iteration.h"

#include <cmath>

#include "core/methods/support/for_each.h"
#include "core/methods/support/panels.h"
#include "core/spectra/full_svd.h"
#include "core/spectra/lapack_spectrum.h"

namespace vitrine::core::methods::gram_iteration {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "steps", .fallback = 6, .least = 1, .most = 20, .unit = "", .help = "matrix products"},
};

struct Bounds {
  double s1 = 0;
  std::vector<double> upper, lower;  // (steps + 1)
};

Result<Bounds> boundsOf(const DenseMatrix& dense, std::size_t steps, const std::stop_token& stop) {
  TRY_ASSIGN(const Spectrum spectrum, lapackSpectrum(dense, stop));
  const Eigen::MatrixXd matrix = toDouble(dense);
  return Bounds{.s1 = spectrum.sigma.front(),
                .upper = gramIterationBounds(matrix, steps),
                .lower = powerIterationBounds(matrix, steps)};
}

// |bound / s1 - 1| by step; what rounding leaves is no error of the bound.
std::vector<double> errorsOf(const std::vector<double>& bounds, double s1) {
  std::vector<double> errors;
  for (const double bound : bounds) {
    const double error = s1 > 0 ? std::abs(bound / s1 - 1) : 0;
    errors.push_back(error > 1e-15 ? error : std::nan(""));
  }
  return errors;
}

Table tableOf(const AnalysisInput& input, const std::vector<Bounds>& all) {
  Table table{.title = "Bounds of the largest singular value",
              .columns = {{"tensor", "", ""},
                          {"s1", "", "the largest singular value, exact"},
                          {"upper", "", "the bound after the last step"},
                          {"upper / s1 - 1", "", "how far it is above"},
                          {"power / s1 - 1", "", "how far as many power iterations stay below"}},
              .rows = {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Bounds& b = all[i];
    const auto excess = [&](double bound) { return b.s1 > 0 ? bound / b.s1 - 1 : 0; };
    table.rows.push_back(
        {input.matrices[i].name, b.s1, b.upper.back(), excess(b.upper.back()), excess(b.lower.back())});
  }
  return table;
}

Figure figureOf(const AnalysisInput& input, const std::vector<Bounds>& all) {
  std::vector<std::vector<double>> upper, lower;
  std::vector<std::string> names;
  std::vector<double> last;
  for (std::size_t i = 0; i < all.size(); ++i) {
    upper.push_back(errorsOf(all[i].upper, all[i].s1));
    lower.push_back(errorsOf(all[i].lower, all[i].s1));
    names.push_back(input.matrices[i].name);
    last.push_back(all[i].upper.back());
  }
  std::vector<double> steps;
  for (std::size_t t = 0; t <= input.parameters.count("steps"); ++t) steps.push_back(static_cast<double>(t));
  Figure figure{.name = "gram-iteration",
                .caption = fmt::format(
                    "Relative error of bounds of the largest singular value of {} matrices of {}: Gram "
                    "iteration from above, power iteration from below; median, and range over the matrices.",
                    all.size(), input.model),
                .panels = {}};
  Panel errors;
  errors.x = {.label = "step"};
  errors.y = {.label = "relative error", .scale = AxisScale::kLog};
  errors.lines = {medianWithRange("Gram iteration (above)", steps, upper),
                  medianWithRange("power iteration (below)", steps, lower)};
  figure.panels.push_back(std::move(errors));
  Panel profile = layerProfile(names, last, {.label = "upper bound of s1", .scale = AxisScale::kLog});
  if (!profile.lines.empty()) figure.panels.push_back(std::move(profile));
  return figure;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const std::size_t steps = input.parameters.count("steps");
  TRY_ASSIGN(const std::vector<Bounds> all,
             forEachMatrix<Bounds>(input, [&](const DenseMatrix& dense, const NamedMatrix&) {
               return boundsOf(dense, steps, input.stop);
             }));
  double product = 0;
  for (const Bounds& bounds : all) product += std::log10(bounds.upper.back());
  return AnalysisResult{
      .tables = {tableOf(input, all)},
      .figures = {figureOf(input, all)},
      .notes = {fmt::format("The product of the {} bounds, an upper bound of the Lipschitz constant of these "
                            "matrices in a row, is 10^{:.1f}.",
                            all.size(), product)}};
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "gram-iteration",
    .title = "Gram iteration",
    .paper =
        "Delattre, Barthélemy, Araujo, Allauzen: Efficient Bound of Lipschitz Constant for "
        "Convolutional Layers by Gram Iteration (arXiv:2305.16173)",
    .summary =
        "Upper bounds of each matrix's largest singular value, by step, against the exact value and "
        "the power iteration.",
    .equation =
        "G_0 = W, G_t = G_{t-1}^T G_{t-1}; s1 <= ||G_t||_F^(1 / 2^t), G divided by its norm before "
        "each product",
    .cost = "m n^2 + (steps - 1) n^3 multiplications, 2 n^2 doubles",
    .unchecked =
        "The speed-up of training with the bound as a regularizer, and bounds of convolutions, "
        "which language models do not have.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .run = run,
};

}  // namespace vitrine::core::methods::gram_iteration
