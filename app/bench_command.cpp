#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/context.h"
#include "core/assets/asset_paths.h"
#include "core/engine/benchmark.h"
#include "core/spectra/spectra_benchmark.h"
#ifdef VITRINE_UI
#include "ui/views/attention/view_benchmark.h"
#endif

namespace vitrine::app {
namespace {

struct BenchOptions {
  std::string model;
  core::BenchmarkOptions benchmark;
  std::uint32_t view_tokens = 0;
  std::vector<std::string> spectra;
  core::DeviceSpectra::Reduction reduction = core::DeviceSpectra::Reduction::kAuto;
  bool vectors = false, pairs = false, no_view = false, json = false;
};

// Of pure numbers, which may be tiny, the leading digits.
std::string shownNumber(const core::BenchmarkRow& row, double value) {
  return row.unit.empty() ? fmt::format("{:.2e}", value) : fmt::format("{:.2f}", value);
}

void printRows(const Common& common, const BenchOptions& options, const gpu::DeviceInfo& device,
               const std::vector<core::BenchmarkRow>& rows) {
  const std::string what = options.spectra.empty() ? options.model : "singular values";
  if (!options.json) {
    fmt::print("{} on {}\n{:<22} {:>12} {:>12} {:>12}  n\n", what, device.name, "", "median", "min", "max");
    for (const auto& row : rows)
      fmt::print("{:<22} {:>12} {:>12} {:>12}  {}  {}\n", row.name, shownNumber(row, row.median),
                 shownNumber(row, row.min), shownNumber(row, row.max), row.n, row.unit);
    return;
  }
  nlohmann::ordered_json out{{"device", device.name}, {"driver", device.driver}, {"model", what}};
  if (!common.adapters.empty()) out["adapters"] = common.adapters;
  out["rows"] = nlohmann::ordered_json::array();
  for (const auto& row : rows)
    out["rows"].push_back({{"name", row.name},
                           {"unit", row.unit},
                           {"median", row.median},
                           {"min", row.min},
                           {"max", row.max},
                           {"n", row.n}});
  fmt::print("{}\n", out.dump());
}

Result<void> benchSpectra(const Common& common, const BenchOptions& options) {
  core::SpectraBenchmarkOptions what{.shapes = {},
                                     .repetitions = options.benchmark.repetitions,
                                     .vectors = options.vectors,
                                     .reduction = options.reduction};
  for (const std::string& text : options.spectra) {
    TRY_ASSIGN(const auto shape, core::parseSpectraShape(text));
    what.shapes.push_back(shape);
  }
  TRY_ASSIGN(const auto device, openDevice(common));
  what.form = options.pairs ? core::SumForm::kPair : core::sumFormOf(*device);
  TRY_ASSIGN(const auto rows, core::runSpectraBenchmark(*device, what, showProgress));
  endProgress();
  (void)device->savePipelineCache();
  printRows(common, options, device->info(), rows);
  return {};
}

Result<void> bench(const Common& common, BenchOptions options) {
  if (!options.spectra.empty()) return benchSpectra(common, options);
  if (options.model.empty()) {
    auto demo = core::findAsset("models/demo-dense");
    if (!demo) return fail(ErrorCode::kNotFound, "the demonstration model is not installed: name a model");
    options.model = demo->string();
  }
  options.benchmark.probes = !options.no_view;
  TRY_ASSIGN(auto opened, openModel(common, options.model, NeedsTokenizer::kNo));
  TRY_ASSIGN(const auto loaded,
             loadModel(common, std::move(opened), core::largestSession(options.benchmark)));
  TRY_ASSIGN(auto rows, core::runBenchmark(loaded.model, options.benchmark, showProgress));
#ifdef VITRINE_UI
  if (options.view_tokens > 0) {
    TRY_ASSIGN(const auto view_rows,
               ui::benchmarkAttentionView(loaded.model, {.tokens = options.view_tokens}, showProgress));
    rows.insert(rows.end(), view_rows.begin(), view_rows.end());
  }
#endif
  endProgress();
  (void)loaded.device->savePipelineCache();
  printRows(common, options, loaded.device->info(), rows);
  return {};
}

}  // namespace

void addBench(CLI::App& app, Common& common) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command =
      app.add_subcommand("bench", "Speed of a model on a device, and the cost of an open attention view");
  command->add_option("MODEL", options->model, "default: the demonstration model");
  command->add_option("--prefill", options->benchmark.prefill, "prompt lengths, 64,512")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--decode", options->benchmark.decode, "tokens to generate, 128")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--depth", options->benchmark.depths, "tokens before those that are generated, 0")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--repetitions", options->benchmark.repetitions, "counted runs of each")
      ->capture_default_str();
  command->add_flag("--no-view", options->no_view, "leave out the runs with the attention view");
#ifdef VITRINE_UI
  command->add_option("--view-tokens", options->view_tokens,
                      "also time the frames of an attention view of this many tokens");
#endif
  command
      ->add_option("--spectra", options->spectra,
                   "instead: singular values of COUNTxROWSxCOLUMNS random numbers, several apart by commas")
      ->delimiter(',');
  command->add_flag("--vectors", options->vectors,
                    "with --spectra: also with all vectors, of large matrices");
  command->add_flag("--pairs", options->pairs,
                    "with --spectra: in pairs of floats, as on a device without double precision");
  using Reduction = core::DeviceSpectra::Reduction;
  const std::map<std::string, Reduction> reductions{
      {"auto", Reduction::kAuto}, {"columns", Reduction::kColumns}, {"band", Reduction::kBand}};
  command
      ->add_option("--reduction", options->reduction,
                   "with --spectra: to tridiagonal form at once (columns) or over a band")
      ->transform(CLI::CheckedTransformer(reductions))
      ->default_str("auto");
  command->add_flag("--json", options->json, "as JSON on standard output");
  command->callback([options, &common] { run(common, [&] { return bench(common, *options); }); });
}

}  // namespace vitrine::app
