#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/context.h"
#include "core/assets/asset_paths.h"

namespace vitrine::app {
namespace {

struct TokenizeOptions {
  std::string model, text;
  bool json = false;
};

Result<void> tokenize(const TokenizeOptions& options) {
  TRY_ASSIGN(auto checkpoint, core::Checkpoint::open(core::modelPath(options.model)));
  TRY_ASSIGN(auto tokenizer, core::Tokenizer::fromCheckpoint(*checkpoint));
  TRY_ASSIGN(auto ids, tokenizer->encode(options.text));
  if (options.json) {
    nlohmann::ordered_json out{{"ids", ids}, {"tokens", nlohmann::json::array()}};
    for (core::TokenId id : ids) out["tokens"].push_back(std::string(tokenizer->piece(id)));
    fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return {};
  }
  for (core::TokenId id : ids) fmt::print("{:>8}  {}\n", id, tokenizer->display(id));
  return {};
}

}  // namespace

void addTokenize(CLI::App& app, Common& common) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command =
      app.add_subcommand("tokenize", "Text to token ids; no beginning-of-text token is added");
  command->add_option("MODEL", options->model, "a model, or a vocabulary-only GGUF")->required();
  command->add_option("--text", options->text, "UTF-8 text")->required();
  command->add_flag("--json", options->json, "as JSON on standard output");
  command->callback([options, &common] { run(common, [&] { return tokenize(*options); }); });
}

}  // namespace vitrine::app
