// What subcommands share: options common to all, and the way from a path to a loaded model.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/session.h"
#include "core/text/tokenizer.h"
#include "gpu/device.h"

namespace vitrine::app {

struct Common {
  std::optional<std::uint32_t> device;  // --device N
  std::string command_line;             // as it was typed, for figures to name
  int exit_status = 0;
};

// A model with everything a subcommand needs. Members are destroyed in the right order.
struct LoadedModel {
  std::unique_ptr<gpu::Device> device;
  std::shared_ptr<const core::Tokenizer> tokenizer;  // null when the checkpoint has none and none is needed
  std::shared_ptr<const core::Model> model;
};

// --adapter FOLDER[:SCALE], repeated, and --merge-adapters.
struct AdapterOptions {
  std::vector<std::string> adapters;
  bool merge = false;
};
void addAdapterOptions(CLI::App& command, AdapterOptions& options);
Result<void> attachAdapters(core::ModelSpec& spec, const AdapterOptions& options);

enum class NeedsTokenizer { kYes, kNo };

Result<std::unique_ptr<gpu::Device>> openDevice(const Common& common);
// Shows progress on stderr when that is a terminal. `session`: what must fit beside the weights, if it is
// known.
Result<LoadedModel> loadModel(const Common& common, const std::string& path, NeedsTokenizer needs,
                              const AdapterOptions& adapters,
                              const std::optional<core::SessionOptions>& session = {});

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
void addBench(CLI::App& app, Common& common);

}  // namespace vitrine::app
