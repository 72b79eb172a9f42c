// vitrine spectra TUNED --base BASE: what fine-tunes have done to the base's matrices. TUNED is one fine-tune
// unless it is the base itself; the adapters, attached to the base, are another.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/spectra_options.h"
#include "core/assets/asset_paths.h"
#include "core/figure/comparison_figures.h"
#include "core/spectra/model_comparison.h"

namespace vitrine::app {
namespace {

void warnOfLeftOut(const std::vector<std::string>& left_out) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(kShown, left_out.size()); ++i)
    fmt::print(stderr, "vitrine: not compared: {}\n", left_out[i]);
  if (left_out.size() > kShown)
    fmt::print(stderr, "vitrine: not compared: {} more\n", left_out.size() - kShown);
}

Result<std::vector<core::FineTunePairs>> openTunes(const Common& common, const SpectraOptions& options) {
  std::vector<core::FineTunePairs> tunes;
  const auto base = core::modelPath(options.base), tuned = tunedPath(common, options);
  if (!tuned.empty()) {
    TRY_ASSIGN(tunes.emplace_back(), core::openFineTune(base, tuned, options.tensors));
  }
  if (!common.adapters.empty()) {
    TRY_ASSIGN(const auto adapters, adaptersOf(common));
    TRY_ASSIGN(tunes.emplace_back(), core::openAdapted(base, adapters, options.tensors));
  }
  return tunes;
}

Result<std::vector<core::ComparedTune>> compareTunes(const Common& common, const SpectraOptions& options) {
  core::ComparisonOptions what;
  TRY_ASSIGN(what.svd, svdSolver(common, options.solver));
  TRY_ASSIGN(const auto opened, openTunes(common, options));
  std::vector<core::ComparedTune> tunes;
  for (const core::FineTunePairs& tune : opened) {
    warnOfLeftOut(tune.matrices.left_out);
    const core::ComparisonRun run{
        .options = what,
        .threads = options.threads,
        .stop = stopAtInterrupt(),
        .progress = [&](std::size_t done) {
          showProgress(fmt::format("{}: matrix {} of {}", tune.name, done, tune.matrices.pairs.size()));
        }};
    TRY_ASSIGN(auto matrices, core::runComparisons(tune.matrices.pairs, run));
    tunes.push_back({.name = tune.name, .matrices = std::move(matrices)});
    endProgress();
  }
  return tunes;
}

std::string percent(double share) {
  return fmt::format("{:.1f}%", 100 * share);
}

void printComparison(const core::ComparedTune& tune, const SpectraOptions& options) {
  std::size_t width = 6;
  for (const core::MatrixComparison& m : tune.matrices) width = std::max(width, m.name.size());
  const bool adapters =
      std::ranges::any_of(tune.matrices, [](const auto& m) { return m.adapter.has_value(); });
  fmt::print("{} against {}\n", tune.name, options.base);
  fmt::print("{:<{}} {:>12} {:>8} {:>9} {:>9} {:>8} {:>7} {:>7} {:>7} {:>7}{}\n", "tensor", width, "shape",
             "|dW|/|W|", "dW st.rk", "intruders", "phi", "angle", "diag.", "band", "corner",
             adapters ? fmt::format(" {:>14}", "adapter rank") : "");
  std::size_t intruders = 0;
  for (const core::MatrixComparison& m : tune.matrices) {
    const int found = core::intrudersAt(m, options.first, options.epsilon);
    intruders += static_cast<std::size_t>(found);
    const auto k = std::min<Eigen::Index>(static_cast<Eigen::Index>(options.first), m.phi.rows());
    fmt::print("{:<{}} {:>12} {:>8.4f} {:>9.2f} {:>9} {:>8.3f} {:>7.3f} {:>7} {:>7} {:>7}{}\n", m.name, width,
               fmt::format("{} x {}", m.rows, m.columns), m.base_norm > 0 ? m.change_norm / m.base_norm : 0,
               m.change_stable_rank, found, k > 0 ? m.phi(k - 1, k - 1) : 0, m.angles.back(),
               percent(m.change.diagonal_share), percent(m.change.band_share), percent(m.change.corner_share),
               m.adapter ? fmt::format(" {:>14}",
                                       fmt::format("{:.1f} of {}", m.adapter->effective, m.adapter->nominal))
                         : "");
  }
  fmt::print(
      "{} intruders (first {} directions, epsilon {}) in {} matrices; phi(k, k) of the same k; the largest "
      "angle of the first 10 directions, radians\n",
      intruders, options.first, options.epsilon, tune.matrices.size());
}

void printComparisonJson(const std::vector<core::ComparedTune>& tunes, const SpectraOptions& options) {
  nlohmann::ordered_json out{{"model", options.model}, {"base", options.base}};
  out["comparisons"] = nlohmann::ordered_json::array();
  for (const core::ComparedTune& tune : tunes)
    for (const core::MatrixComparison& matrix : tune.matrices) {
      nlohmann::ordered_json one{{"tune", tune.name}};
      one.update(core::toJson(matrix));
      out["comparisons"].push_back(std::move(one));
    }
  fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

std::filesystem::path tunedPath(const Common& common, const SpectraOptions& options) {
  const auto base = core::modelPath(options.base), tuned = core::modelPath(options.model);
  std::error_code ignored;
  const bool itself = base == tuned || std::filesystem::equivalent(base, tuned, ignored);
  return itself && !common.adapters.empty() ? std::filesystem::path() : tuned;
}

Result<void> compareWithBase(const Common& common, const SpectraOptions& options) {
  TRY_ASSIGN(const auto colormap, core::findColormap(options.colormap));
  TRY_ASSIGN(const auto tunes, compareTunes(common, options));
  if (!options.figure.empty()) {
    TRY_ASSIGN(const core::Figure figure, core::comparisonFigure(options.figure, tunes,
                                                                 {.base = options.base,
                                                                  .colormap = colormap,
                                                                  .epsilon = options.epsilon,
                                                                  .first = options.first}));
    return writeSpectraFigure(common, options, figure);
  }
  if (options.json) {
    printComparisonJson(tunes, options);
    return {};
  }
  for (const core::ComparedTune& tune : tunes) printComparison(tune, options);
  return {};
}

}  // namespace vitrine::app
