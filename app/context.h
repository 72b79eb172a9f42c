// What subcommands share: options common to all, and the way from a path to a loaded model.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/adapter/adapter_choice.h"
#include "core/engine/session.h"
#include "core/text/tokenizer.h"
#include "gpu/device.h"

namespace vitrine::app {

struct Common {
  std::optional<std::uint32_t> device;  // --device N
  std::vector<std::string> adapters;    // --adapter NAME[:SCALE]
  bool merge_adapters = false;
  std::string command_line;  // as it was typed, for figures to name
  int exit_status = 0;
};

// A model that was read but not loaded: its weights are still in the file.
struct OpenedModel {
  core::ModelSpec spec;                              // with the adapters
  std::shared_ptr<const core::Tokenizer> tokenizer;  // null when the checkpoint has none and none is needed
};

// A model with everything a subcommand needs. Members are destroyed in the right order.
struct LoadedModel {
  std::unique_ptr<gpu::Device> device;
  std::shared_ptr<const core::Tokenizer> tokenizer;
  std::shared_ptr<const core::Model> model;
};

enum class NeedsTokenizer { kYes, kNo };

Result<std::vector<core::AdapterChoice>> adaptersOf(const Common& common);
// By path, or by the name of a model that ships.
Result<OpenedModel> openModel(const Common& common, const std::string& path, NeedsTokenizer needs);

Result<std::unique_ptr<gpu::Device>> openDevice(const Common& common);
// `session`: what must fit beside the weights; what does not is refused before anything is loaded. Shows
// progress on stderr when that is a terminal.
Result<LoadedModel> loadModel(const Common& common, OpenedModel opened, const core::SessionOptions& session);

// Runs `work` and turns its error into one line on stderr and exit status 1.
void run(Common& common, const std::function<Result<void>()>& work);

Result<std::string> readTextFile(const std::string& path);
// "1,2,3"
Result<std::vector<core::TokenId>> parseIds(const std::string& text);

// Requests a stop at Ctrl+C, once; a second Ctrl+C ends the process.
std::stop_token stopAtInterrupt();

// "<line>\r" on a terminal, nothing otherwise.
void showProgress(const std::string& line);
void endProgress();

void addInfo(CLI::App& app, Common& common);
void addTokenize(CLI::App& app, Common& common);
void addGenerate(CLI::App& app, Common& common);
void addTrace(CLI::App& app, Common& common);
void addPerplexity(CLI::App& app, Common& common);
void addExport(CLI::App& app, Common& common);
void addSpectra(CLI::App& app, Common& common);
void addMethods(CLI::App& app, Common& common);
void addBench(CLI::App& app, Common& common);

}  // namespace vitrine::app
