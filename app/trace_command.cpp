#include <fmt/core.h>

#include "app/context.h"
#include "core/trace/record_trace.h"

namespace vitrine::app {
namespace {

struct TraceOptions {
  std::string model, prompt, ids, out, capture = "logits,hidden,attention", cache = "f32";
};

Result<void> trace(const Common& common, const TraceOptions& options) {
  TRY_ASSIGN(auto what, core::parseCapture(options.capture));
  what.cache = options.cache == "f16" ? core::CacheType::kF16 : core::CacheType::kF32;
  bool from_text = options.ids.empty();
  TRY_ASSIGN(auto opened,
             openModel(common, options.model, from_text ? NeedsTokenizer::kYes : NeedsTokenizer::kNo));
  std::vector<core::TokenId> ids;
  if (from_text) {
    TRY_ASSIGN(ids, opened.tokenizer->encodePrompt(options.prompt));
  } else {
    TRY_ASSIGN(ids, parseIds(options.ids));
  }
  const auto tokens = static_cast<std::uint32_t>(ids.size());
  TRY_ASSIGN(const auto loaded,
             loadModel(common, std::move(opened), {.context = tokens, .cache = what.cache}));
  std::map<std::string, std::string> metadata{{"model", options.model},
                                              {"prompt", from_text ? options.prompt : ""},
                                              {"device", loaded.device->info().name},
                                              {"cache", options.cache}};
  if (!common.adapters.empty())
    metadata["adapters"] =
        fmt::format("{}{}", fmt::join(common.adapters, ", "), common.merge_adapters ? ", merged" : "");
  TRY(core::recordTrace(loaded.model, ids, what, options.out, metadata));
  (void)loaded.device->savePipelineCache();
  fmt::print(stderr, "{}: {} tokens, {}\n", options.out, ids.size(), options.capture);
  return {};
}

}  // namespace

void addTrace(CLI::App& app, Common& common) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App* command = app.add_subcommand("trace", "Write a forward pass's activations as a safetensors file");
  command->add_option("MODEL", options->model, "a .gguf or .safetensors file, or a Hugging Face folder")
      ->required();
  auto* prompt = command->add_option("--prompt", options->prompt, "text to read");
  auto* ids = command->add_option("--ids", options->ids, "token ids to read instead of a text: 1,2,3");
  prompt->excludes(ids);
  command->add_option("--out", options->out, "the file to write")->required();
  command
      ->add_option("--capture", options->capture,
                   "what to write: logits, hidden, attention, implied, router, kv, state, decay, spectra")
      ->capture_default_str();
  command->add_option("--cache-type", options->cache, "f32 (exact) or f16")
      ->check(CLI::IsMember({"f16", "f32"}))
      ->capture_default_str();
  command->callback([options, &common] { run(common, [&] { return trace(common, *options); }); });
}

}  // namespace vitrine::app
