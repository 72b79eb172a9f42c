#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/context.h"
#include "core/engine/perplexity.h"

namespace vitrine::app {
namespace {

struct PerplexityOptions {
  std::string model, text_file, cache = "f16";
  core::PerplexityOptions perplexity;
  bool json = false;
};

Result<void> perplexity(const Common& common, PerplexityOptions options) {
  TRY_ASSIGN(auto text, readTextFile(options.text_file));
  options.perplexity.cache = options.cache == "f32" ? core::CacheType::kF32 : core::CacheType::kF16;
  TRY_ASSIGN(auto opened, openModel(common, options.model, NeedsTokenizer::kYes));
  TRY_ASSIGN(const auto loaded,
             loadModel(common, std::move(opened),
                       {.context = options.perplexity.context, .cache = options.perplexity.cache}));
  auto progress = [](std::uint32_t done, std::uint32_t total, double value) {
    showProgress(fmt::format("window {} of {}: perplexity {:.4f}", done, total, value));
  };
  TRY_ASSIGN(auto result, core::measurePerplexity(loaded.model, *loaded.tokenizer, text, options.perplexity,
                                                  progress, stopAtInterrupt()));
  endProgress();
  if (options.json) {
    nlohmann::ordered_json out{
        {"perplexity", result.value}, {"windows", result.running}, {"tokens", result.tokens}};
    fmt::print("{}\n", out.dump());
  } else {
    fmt::print("perplexity {:.4f} over {} windows of {} tokens ({} scored)\n", result.value,
               result.running.size(), options.perplexity.context, result.tokens);
  }
  return {};
}

}  // namespace

void addPerplexity(CLI::App& app, Common& common) {
  auto options = std::make_shared<PerplexityOptions>();
  CLI::App* command =
      app.add_subcommand("perplexity", "Perplexity of a text, by llama-perplexity's convention");
  command->add_option("MODEL", options->model, "a .gguf or .safetensors file, or a Hugging Face folder")
      ->required();
  command->add_option("--text-file", options->text_file, "UTF-8 text")->required();
  command->add_option("--context", options->perplexity.context, "tokens of a window")->capture_default_str();
  command->add_option("--chunks", options->perplexity.windows, "windows to read; 0: all")
      ->capture_default_str();
  command->add_option("--cache-type", options->cache, "f16 or f32")
      ->check(CLI::IsMember({"f16", "f32"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "as JSON on standard output");
  command->callback([options, &common] { run(common, [&] { return perplexity(common, *options); }); });
}

}  // namespace vitrine::app
