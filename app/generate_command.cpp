#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/context.h"
#include "core/text/chat_template.h"

namespace vitrine::app {
namespace {

struct GenerateOptions {
  std::string model, prompt, ids, system, cache = "f16";
  bool chat = false;
  std::uint32_t count = 128, context = 0;
  core::SamplingSettings sampling;
  bool json = false;
};

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The prompt as the user's message of a chat.
Result<std::vector<core::TokenId>> chatIds(const OpenedModel& opened, const GenerateOptions& options) {
  TRY_ASSIGN(const auto form, core::ChatTemplate::fromCheckpoint(*opened.spec.checkpoint));
  std::vector<core::ChatMessage> messages;
  if (!options.system.empty()) messages.push_back({core::ChatRole::kSystem, options.system});
  messages.push_back({core::ChatRole::kUser, options.prompt});
  TRY_ASSIGN(const std::string text, form.apply(messages, *opened.tokenizer));
  return opened.tokenizer->encode(text);
}

Result<std::vector<core::TokenId>> promptIds(const OpenedModel& opened, const GenerateOptions& options) {
  std::vector<core::TokenId> ids;
  if (!options.ids.empty()) {
    TRY_ASSIGN(ids, parseIds(options.ids));
  } else if (options.chat) {
    TRY_ASSIGN(ids, chatIds(opened, options));
  } else {
    TRY_ASSIGN(ids, opened.tokenizer->encodePrompt(options.prompt));
  }
  const auto beginning = opened.tokenizer->beginningOfText();
  if (ids.empty() && beginning) ids.push_back(*beginning);
  if (ids.empty())
    return fail(ErrorCode::kInvalidArgument,
                "an empty prompt has no tokens for this model: give --prompt or --ids");
  return ids;
}

Result<void> generate(const Common& common, const GenerateOptions& options) {
  const core::SessionOptions session_options{
      .context = options.context,
      .cache = options.cache == "f32" ? core::CacheType::kF32 : core::CacheType::kF16};
  TRY_ASSIGN(auto opened, openModel(common, options.model, NeedsTokenizer::kYes));
  TRY_ASSIGN(const auto ids, promptIds(opened, options));
  TRY_ASSIGN(const auto loaded, loadModel(common, std::move(opened), session_options));
  const core::Tokenizer& tokenizer = *loaded.tokenizer;
  TRY_ASSIGN(auto session, core::Session::create(loaded.model, session_options));
  auto start = Clock::now();
  TRY(session->prefill(ids, stopAtInterrupt()));
  double prefill_s = secondsSince(start);

  core::StreamingDetokenizer stream(loaded.tokenizer);
  if (!options.json)  // the text goes on after the prompt
    for (core::TokenId id : ids) fmt::print("{}", stream.push(id));
  std::vector<core::TokenId> out;
  auto on_token = [&](core::TokenId id) {
    out.push_back(id);
    if (!options.json) {
      fmt::print("{}", stream.push(id));
      std::fflush(stdout);
    }
    return true;
  };
  core::DecodeTimings timings;
  TRY_ASSIGN(auto reason, session->decode(options.count, options.sampling, tokenizer.endOfText(), on_token,
                                          stopAtInterrupt(), &timings));
  double speed = timings.wall_s > 0 ? timings.tokens / timings.wall_s : 0;
  (void)loaded.device->savePipelineCache();
  if (!options.json) {
    fmt::print("{}\n", stream.finish());
    fmt::print(stderr, "{} tokens, {:.1f} tokens/s, prompt of {} in {:.2f} s, ended by {}\n", timings.tokens,
               speed, ids.size(), prefill_s, core::name(reason));
    return {};
  }
  nlohmann::ordered_json json{
      {"prompt_ids", ids},
      {"ids", out},
      {"text", tokenizer.decode(out)},
      {"stop", core::name(reason)},
      {"timing", {{"prefill_s", prefill_s}, {"decode_s", timings.wall_s}, {"tokens_per_s", speed}}},
      {"device", loaded.device->info().name}};
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return {};
}

}  // namespace

void addGenerate(CLI::App& app, Common& common) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command =
      app.add_subcommand("generate", "Continue a prompt; greedy unless a temperature is given");
  command->add_option("MODEL", options->model, "a .gguf or .safetensors file, or a Hugging Face folder")
      ->required();
  command->add_option("--prompt", options->prompt, "text to continue");
  CLI::Option* ids =
      command->add_option("--ids", options->ids, "token ids to continue instead of a text: 1,2,3");
  CLI::Option* chat = command->add_flag("--chat", options->chat,
                                        "put the prompt into the model's chat template, as a user's message");
  command->add_option("--system", options->system, "the chat's system message")->needs(chat);
  chat->excludes(ids);
  command->add_option("-n", options->count, "tokens to generate")->capture_default_str();
  command->add_option("--temperature", options->sampling.temperature, "0: greedy")
      ->check(CLI::Range(0.0, 100.0));
  command->add_option("--top-k", options->sampling.top_k, "keep the k most probable tokens; 0: all");
  command->add_option("--top-p", options->sampling.top_p, "keep the most probable tokens of this total mass")
      ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option("--min-p", options->sampling.min_p,
                   "drop tokens below this share of the best one's probability")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--seed", options->sampling.seed, "the same seed gives the same tokens");
  command->add_option("--context", options->context, "tokens of cache (default: the model's, at most 4096)");
  command->add_option("--cache-type", options->cache, "f16 or f32")
      ->check(CLI::IsMember({"f16", "f32"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "ids, text and timing as JSON on standard output");
  command->callback([options, &common] { run(common, [&] { return generate(common, *options); }); });
}

}  // namespace vitrine::app
