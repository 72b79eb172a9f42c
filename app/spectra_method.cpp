// vitrine spectra MODEL --method ID:key=value,..: a paper's method of family analysis on a model's weights.
// vitrine methods: what there is.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/spectra_options.h"
#include "core/assets/asset_paths.h"
#include "core/methods/analysis_source.h"

namespace vitrine::app {
namespace {

namespace methods = core::methods;

Result<methods::AnalysisSource> sourceOf(const Common& common, const SpectraOptions& options,
                                         const methods::Analysis& analysis) {
  methods::AnalysisSource source{.model = core::modelPath(options.model),
                                 .matrices = options.tensors,
                                 .prompt = options.prompt,
                                 .text = options.text,
                                 .tuned_text = options.tuned_text};
  if (!options.sibling.empty()) source.sibling = core::modelPath(options.sibling);
  TRY_ASSIGN(source.adapters, adaptersOf(common));
  if (analysis.subject != methods::Subject::kFineTunes) return source;
  if (options.base.empty())
    return fail(ErrorCode::kInvalidArgument,
                "{} compares fine-tunes with their base: name it by --base, and adapters of it by --adapter",
                analysis.id);
  source.model = core::modelPath(options.base);
  source.tuned = tunedPath(common, options);
  return source;
}

Result<methods::AnalysisInput> inputOf(const Common& common, const SpectraOptions& options,
                                       const methods::Analysis& analysis) {
  TRY_ASSIGN(const methods::AnalysisSource source, sourceOf(common, options, analysis));
  TRY_ASSIGN(methods::AnalysisInput input, methods::analysisInput(analysis, source));
  input.threads = options.threads;
  input.stop = stopAtInterrupt();
  input.open_device = [&common]() -> Result<std::shared_ptr<gpu::Device>> { return openDevice(common); };
  input.progress = [&analysis](std::size_t done, std::size_t of) {
    showProgress(fmt::format("{}: {} of {}", analysis.id, done, of));
  };
  return input;
}

void printResultJson(const methods::Analysis& analysis, const methods::AnalysisInput& input,
                     const methods::AnalysisResult& result) {
  nlohmann::ordered_json out{{"method", analysis.id}, {"model", input.model}};
  out["parameters"] = nlohmann::ordered_json::object();
  for (const methods::Parameter& parameter : analysis.parameters)
    out["parameters"][std::string(parameter.name)] = input.parameters.value(parameter.name);
  out["tables"] = nlohmann::ordered_json::array();
  for (const methods::Table& table : result.tables) out["tables"].push_back(methods::toJson(table));
  out["notes"] = result.notes;
  fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Result<void> writeFigures(const Common& common, const SpectraOptions& options,
                          const methods::AnalysisResult& result) {
  std::string names;
  bool found = false;
  for (const core::Figure& figure : result.figures) {
    names += (names.empty() ? "" : ", ") + figure.name;
    if (options.figure != "all" && options.figure != figure.name) continue;
    found = true;
    TRY(writeSpectraFigure(common, options, figure));
  }
  if (found) return {};
  return fail(ErrorCode::kNotFound, "{} has no figure '{}': there are {}, or all", options.method,
              options.figure, names);
}

// What the model is run on, by the option that gives it.
std::vector<std::pair<std::string_view, std::string_view>> runsOf(const methods::Analysis& analysis) {
  std::vector<std::pair<std::string_view, std::string_view>> taken;
  const methods::RunsOn& runs = analysis.runs;
  for (const auto& [option, on] : {std::pair<std::string_view, std::string_view>{"prompt", runs.prompt},
                                   {"text", runs.text},
                                   {"tuned-text", runs.tuned_text},
                                   {"sibling", runs.sibling}})
    if (!on.empty()) taken.emplace_back(option, on);
  return taken;
}

nlohmann::ordered_json describe(const methods::Analysis& analysis) {
  nlohmann::ordered_json out{{"id", analysis.id},
                             {"family", methods::kAnalysisFamily},
                             {"title", analysis.title},
                             {"paper", analysis.paper},
                             {"summary", analysis.summary},
                             {"subject", methods::name(analysis.subject)},
                             {"equation", analysis.equation},
                             {"cost", analysis.cost},
                             {"unchecked", analysis.unchecked}};
  out["runs"] = nlohmann::ordered_json::object();
  for (const auto& [option, on] : runsOf(analysis)) out["runs"][std::string(option)] = on;
  out["parameters"] = nlohmann::ordered_json::array();
  for (const methods::Parameter& p : analysis.parameters)
    out["parameters"].push_back({{"name", p.name},
                                 {"default", p.fallback},
                                 {"min", p.least},
                                 {"max", p.most},
                                 {"unit", p.unit},
                                 {"help", p.help}});
  return out;
}

void printMethod(const methods::Analysis& analysis) {
  fmt::print("{} ({}, of {})\n  {}\n  {}\n  computes  {}\n  costs     {}\n", analysis.id,
             methods::kAnalysisFamily, methods::name(analysis.subject), analysis.summary, analysis.paper,
             analysis.equation, analysis.cost);
  for (const methods::Parameter& p : analysis.parameters)
    fmt::print("  {:<9} {}{}, {} to {}: {}\n", p.name, p.fallback,
               p.unit.empty() ? "" : fmt::format(" {}", p.unit), p.least, p.most, p.help);
  for (const auto& [option, on] : runsOf(analysis)) fmt::print("  runs on   --{}: {}\n", option, on);
  if (!analysis.unchecked.empty()) fmt::print("  not shown {}\n", analysis.unchecked);
}

Result<void> listMethods(const std::string& family, bool json) {
  if (!family.empty() && family != methods::kAnalysisFamily)
    return fail(ErrorCode::kNotFound, "no family '{}': there is {}", family, methods::kAnalysisFamily);
  if (!json) {
    for (const methods::Analysis* analysis : methods::analyses()) printMethod(*analysis);
    return {};
  }
  auto all = nlohmann::ordered_json::array();
  for (const methods::Analysis* analysis : methods::analyses()) all.push_back(describe(*analysis));
  fmt::print("{}\n", all.dump());
  return {};
}

}  // namespace

Result<void> runMethod(const Common& common, const SpectraOptions& options) {
  TRY_ASSIGN(const methods::MethodCall call, methods::parseMethodCall(options.method));
  TRY_ASSIGN(const methods::Analysis* analysis, methods::findAnalysis(call.id));
  TRY_ASSIGN(const methods::Parameters parameters, methods::parametersOf(*analysis, call));
  TRY_ASSIGN(methods::AnalysisInput input, inputOf(common, options, *analysis));
  input.parameters = parameters;
  TRY_ASSIGN(const methods::AnalysisResult result, methods::runAnalysis(*analysis, input));
  endProgress();
  if (!options.figure.empty()) return writeFigures(common, options, result);
  if (options.json) {
    printResultJson(*analysis, input, result);
    return {};
  }
  for (const methods::Table& table : result.tables) fmt::print("{}\n", methods::toText(table));
  for (const std::string& note : result.notes) fmt::print("{}\n", note);
  return {};
}

void addMethods(CLI::App& app, Common& common) {
  struct Options {
    std::string family;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("methods", "The methods of papers that Vitrine computes");
  command->add_option("--family", options->family, "only these: analysis");
  command->add_flag("--json", options->json, "as JSON on standard output");
  command->callback(
      [options, &common] { run(common, [&] { return listMethods(options->family, options->json); }); });
}

}  // namespace vitrine::app
