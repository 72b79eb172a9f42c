#include "app/context.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "core/adapter/attach_adapter.h"
#include "core/assets/asset_paths.h"
#include "core/assets/cache_folder.h"
#include "core/engine/memory_budget.h"

namespace vitrine::app {
namespace {

std::stop_source& interruptSource() {
  static std::stop_source source;
  return source;
}

}  // namespace

Result<std::unique_ptr<gpu::Device>> openDevice(const Common& common) {
  gpu::DeviceOptions options{.index = common.device};
  options.pipeline_cache_file = (core::cacheFolder() / "pipelines.bin").string();
  return gpu::Device::create(options);
}

Result<std::vector<core::AdapterChoice>> adaptersOf(const Common& common) {
  std::vector<core::AdapterChoice> adapters;
  for (const std::string& text : common.adapters) {
    TRY_ASSIGN(core::AdapterChoice adapter, core::parseAdapterChoice(text));
    adapters.push_back(std::move(adapter));
  }
  return adapters;
}

Result<OpenedModel> openModel(const Common& common, const std::string& path, NeedsTokenizer needs) {
  TRY_ASSIGN(const auto adapters, adaptersOf(common));
  TRY_ASSIGN(const auto checkpoint, core::Checkpoint::open(core::modelPath(path)));
  OpenedModel opened;
  TRY_ASSIGN(opened.spec, core::readModelSpec(checkpoint));
  for (const core::AdapterChoice& adapter : adapters) TRY(core::attachAdapter(opened.spec, adapter));
  opened.spec.merge_adapters = common.merge_adapters;
  auto tokenizer = core::Tokenizer::fromCheckpoint(*checkpoint);
  if (tokenizer)
    opened.tokenizer = *tokenizer;
  else if (needs == NeedsTokenizer::kYes)
    return tl::unexpected(tokenizer.error());
  return opened;
}

Result<LoadedModel> loadModel(const Common& common, OpenedModel opened, const core::SessionOptions& session) {
  LoadedModel loaded{.device = nullptr, .tokenizer = std::move(opened.tokenizer), .model = nullptr};
  TRY_ASSIGN(loaded.device, openDevice(common));
  TRY(core::checkMemory(opened.spec, session, loaded.device->memory().available, loaded.device->info().name));
  auto progress = [](core::LoadProgress p) {
    showProgress(fmt::format("loading {:.0f} of {:.0f} MB", p.done / 1e6, p.total / 1e6));
  };
  const std::string name = opened.spec.checkpoint->displayName();
  auto model = core::Model::load(*loaded.device, std::move(opened.spec), progress, stopAtInterrupt());
  endProgress();
  if (!model) return within(fmt::format("loading {}", name), model.error());
  loaded.model = *model;
  for (const std::string& notice : loaded.model->notices()) fmt::print(stderr, "vitrine: {}\n", notice);
  return loaded;
}

void run(Common& common, const std::function<Result<void>()>& work) {
  Result<void> result = work();
  if (result) return;
  endProgress();
  fmt::print(stderr, "vitrine: {}\n", result.error().describe());
  common.exit_status = 1;
}

Result<std::string> readTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  if (!file || !(content << file.rdbuf()))
    return fail(ErrorCode::kIo, "{}: cannot be read as a text file", path);
  return std::move(content).str();
}

Result<std::vector<core::TokenId>> parseIds(const std::string& text) {
  std::vector<core::TokenId> ids;
  std::stringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    core::TokenId id = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || end != word.data() + word.size())
      return fail(ErrorCode::kInvalidArgument, "--ids: '{}' is not a token id, expected numbers like 1,2,3",
                  word);
    ids.push_back(id);
  }
  return ids;
}

std::stop_token stopAtInterrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { interruptSource().request_stop(); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  return interruptSource().get_token();
}

void showProgress(const std::string& line) {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\033[K{}", line);
}

void endProgress() {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\033[K");
}

}  // namespace vitrine::app
