#include "core/text/tokenizer.h"
#include "core/text/tokenizer_files.h"

namespace vitrine::core {
namespace {

// A sidecar that need not be there: "" when it is not.
Result<std::string> optionalSidecar(const Checkpoint& checkpoint, std::string_view name) {
  Result<std::string> text = checkpoint.readSidecar(name);
  if (!text && text.error().code == ErrorCode::kNotFound) return "";
  return text;
}

Result<std::shared_ptr<const Tokenizer>> fromFolder(const Checkpoint& checkpoint) {
  TRY_ASSIGN(const std::string tokenizer, checkpoint.readSidecar("tokenizer.json"));
  TRY_ASSIGN(const std::string tokenizer_config, optionalSidecar(checkpoint, "tokenizer_config.json"));
  TRY_ASSIGN(const std::string generation_config, optionalSidecar(checkpoint, "generation_config.json"));
  return tokenizerFromHuggingFace({tokenizer, tokenizer_config, generation_config, &checkpoint.metadata()});
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromCheckpoint(const Checkpoint& checkpoint) {
  auto tokenizer = checkpoint.format() == CheckpointFormat::kGguf ? tokenizerFromGguf(checkpoint.metadata())
                                                                  : fromFolder(checkpoint);
  if (!tokenizer)
    return within("the tokenizer of " + checkpoint.path().string(), std::move(tokenizer).error());
  return tokenizer;
}

}  // namespace vitrine::core
