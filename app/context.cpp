#include "app/context.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "core/adapter/attach_adapter.h"
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

Result<LoadedModel> loadModel(const Common& common, const std::string& path, NeedsTokenizer needs,
                              const AdapterOptions& adapters,
                              const std::optional<core::SessionOptions>& session) {
  LoadedModel loaded;
  TRY_ASSIGN(auto checkpoint, core::Checkpoint::open(path));
  TRY_ASSIGN(auto spec, core::readModelSpec(checkpoint));
  auto tokenizer = core::Tokenizer::fromCheckpoint(*checkpoint);
  if (tokenizer)
    loaded.tokenizer = *tokenizer;
  else if (needs == NeedsTokenizer::kYes)
    return tl::unexpected(tokenizer.error());
  TRY(attachAdapters(spec, adapters));
  TRY_ASSIGN(loaded.device, openDevice(common));
  if (session)
    TRY(core::checkMemory(spec, *session, loaded.device->memory().available, loaded.device->info().name));
  auto progress = [](core::LoadProgress p) {
    showProgress(fmt::format("loading {:.0f} of {:.0f} MB", p.done / 1e6, p.total / 1e6));
  };
  auto model = core::Model::load(*loaded.device, std::move(spec), progress, stopAtInterrupt());
  endProgress();
  if (!model) return within(fmt::format("loading {}", path), model.error());
  loaded.model = *model;
  for (const std::string& notice : loaded.model->notices()) fmt::print(stderr, "vitrine: {}\n", notice);
  return loaded;
}

void addAdapterOptions(CLI::App& command, AdapterOptions& options) {
  command
      .add_option("--adapter", options.adapters,
                  "a LoRA adapter's folder, and a scale behind a colon: FOLDER:0.5; several add up")
      ->allow_extra_args(false);
  command.add_flag("--merge-adapters", options.merge, "add the adapters to the weights when they are loaded")
      ->needs("--adapter");
}

Result<void> attachAdapters(core::ModelSpec& spec, const AdapterOptions& options) {
  for (const std::string& text : options.adapters) {
    std::string folder = text;
    float scale = 1;
    // A folder's name may have a colon itself.
    const std::size_t colon = text.rfind(':');
    if (colon != std::string::npos && !std::filesystem::exists(text)) {
      folder = text.substr(0, colon);
      const char* last = text.data() + text.size();
      const auto [end, error] = std::from_chars(text.data() + colon + 1, last, scale);
      if (error != std::errc() || end != last)
        return fail(ErrorCode::kInvalidArgument, "--adapter: '{}' is not a scale, expected FOLDER:0.5",
                    text.substr(colon + 1));
    }
    TRY(core::attachAdapter(spec, folder, scale));
  }
  spec.merge_adapters = options.merge;
  return {};
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
