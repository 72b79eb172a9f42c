#include <fmt/core.h>

#include "app/context.h"
#include "core/figure/export_data.h"
#include "core/figure/sha256.h"
#include "core/figure/trace_figures.h"
#ifdef VITRINE_UI
#include "core/assets/asset_paths.h"
#include "ui/figure/headless_export.h"
#endif

namespace vitrine::app {
namespace {

struct ExportOptions {
  std::string trace, model, figure = "attention-map", preset = "icml-column", formats = "pdf,svg,csv,npz",
                            out = "figures";
  std::string colormap = "viridis", scale = "log", metric;
  core::AttentionFigureOptions attention;
};

Result<std::vector<std::string>> tokenLabels(const std::string& model, const std::vector<std::int64_t>& ids) {
  std::vector<std::string> labels;
  if (model.empty()) return labels;
  TRY_ASSIGN(auto checkpoint, core::Checkpoint::open(core::modelPath(model)));
  TRY_ASSIGN(auto tokenizer, core::Tokenizer::fromCheckpoint(*checkpoint));
  for (std::int64_t id : ids) labels.push_back(tokenizer->display(static_cast<core::TokenId>(id)));
  return labels;
}

std::vector<std::string> metricNames() {
  std::vector<std::string> names;
  for (core::HeadMetric metric : core::headMetrics()) names.emplace_back(core::headMetricName(metric));
  return names;
}

Result<void> exportCommand(ExportOptions options, const std::string& command_line) {
  TRY_ASSIGN(auto trace, core::Checkpoint::open(options.trace));
  TRY_ASSIGN(auto ids, core::traceTokenIds(*trace));
  TRY_ASSIGN(auto labels, tokenLabels(options.model, ids));
  TRY_ASSIGN(auto preset, core::findFigurePreset(options.preset));
  TRY_ASSIGN(auto formats, core::parseFigureFormats(options.formats));
  TRY_ASSIGN(options.attention.colormap, core::findColormap(options.colormap));
  if (!options.metric.empty()) {
    TRY_ASSIGN(options.attention.metric, core::findHeadMetric(options.metric));
  }
  options.attention.scale = options.scale == "linear" ? core::AxisScale::kLinear : core::AxisScale::kLog;
  TRY_ASSIGN(auto figure, core::figureFromTrace(*trace, options.figure, options.attention, labels));
  core::Provenance provenance{
      .model_path = options.model, .trace_path = options.trace, .method = "exact", .command = command_line};
  TRY_ASSIGN(provenance.trace_sha256, core::sha256OfFile(options.trace));
  core::FigureTarget target{.folder = options.out, .base_name = options.figure};
#ifdef VITRINE_UI
  TRY_ASSIGN(auto files, ui::exportFigureHeadless(figure, preset, formats, target, provenance));
#else
  TRY_ASSIGN(auto files, core::exportFigureData(figure, preset, formats, target, provenance));
#endif
  for (const auto& file : files) fmt::print("{}\n", file.string());
  return {};
}

}  // namespace

void addExport(CLI::App& app, Common& common) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand(
      "export", "Draw a figure from a trace: PDF, SVG, PNG, CSV, NPZ, TeX, and a JSON sidecar");
  command->add_option("TRACE", options->trace, "a file that `vitrine trace` wrote")->required();
  command->add_option("--model", options->model, "whose tokenizer names the tokens (default: ids)");
  command
      ->add_option("--figure", options->figure,
                   "attention-map, attention-row, attention-overview or head-metrics")
      ->capture_default_str();
  command->add_option("--layer", options->attention.layer)->capture_default_str();
  command->add_option("--head", options->attention.head)->capture_default_str();
  command->add_option("--query", options->attention.query,
                      "attention-row: which query (default: the last); attention-map: boxed");
  command->add_option("--key", options->attention.key, "attention-map: which key is boxed");
  command->add_option("--metric", options->metric, "head-metrics: only this one (default: all)")
      ->check(CLI::IsMember(metricNames()));
  command->add_option("--scale", options->scale, "log or linear")
      ->check(CLI::IsMember({"log", "linear"}))
      ->capture_default_str();
  command->add_option("--min", options->attention.minimum,
                      "lower end of the range (default: 1e-4 log, 0 linear)");
  command->add_option("--max", options->attention.maximum, "upper end of the range (default: 1)");
  command->add_option("--colormap", options->colormap, "viridis, cividis, magma or grey")
      ->capture_default_str();
  command
      ->add_option("--preset", options->preset,
                   "width and type of a venue: icml-column, neurips, nature-column ..")
      ->capture_default_str();
  command->add_option("--format", options->formats, "pdf,svg,png,csv,npz,tex")->capture_default_str();
  command->add_option("--out", options->out, "the folder to write to")->capture_default_str();
  command->callback(
      [options, &common] { run(common, [&] { return exportCommand(*options, common.command_line); }); });
}

}  // namespace vitrine::app
