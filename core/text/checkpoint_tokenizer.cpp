#include "core/text/json_fields.h"
#include "core/text/pipeline_tokenizer.h"
#include "core/text/tokenizer_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

// A sidecar that need not be there: "" when it is not.
Result<std::string> optionalSidecar(const Checkpoint& checkpoint, std::string_view name) {
  Result<std::string> text = checkpoint.readSidecar(name);
  if (!text && text.error().code == ErrorCode::kNotFound) return "";
  return text;
}

constexpr std::size_t kBytes = 256;

// A model of bytes: config.json says so, or a file that stands alone has an embedding of 256 rows.
bool countsBytes(const Checkpoint& checkpoint) {
  if (const Json* size = findField(checkpoint.metadata(), "vocab_size")) return *size == kBytes;
  const std::vector<TensorEntry>& tensors = checkpoint.tensors();
  return std::any_of(tensors.begin(), tensors.end(), [](const TensorEntry& tensor) {
    const bool embedding = tensor.name.ends_with("emb.weight") ||
                           tensor.name.ends_with("embed_tokens.weight") ||
                           tensor.name.ends_with("embeddings.weight");
    return embedding && tensor.shape.size() == 2 && tensor.shape[0] == kBytes;
  });
}

// Whether nothing beside the model says that it has another vocabulary.
Result<bool> hasNoTokenizerFile(const Checkpoint& checkpoint) {
  for (const std::string_view name : {"tokenizer.json", "tokenizer_config.json", "tokenizer.model",
                                      "vocab.json", "vocab.txt", "merges.txt"}) {
    const Result<std::string> file = checkpoint.readSidecar(name);
    if (file) return false;
    if (file.error().code != ErrorCode::kNotFound) return tl::unexpected(file.error());
  }
  return true;
}

// Each byte is its own id.
Result<std::shared_ptr<const Tokenizer>> bytesTokenizer() {
  Vocabulary vocabulary(kBytes);
  std::vector<std::string> bytes_of;
  for (std::size_t byte = 0; byte < kBytes; ++byte) {
    vocabulary.set(static_cast<TokenId>(byte), pieceOfByte(static_cast<std::uint8_t>(byte)),
                   TokenType::kByte);
    bytes_of.emplace_back(1, static_cast<char>(byte));
  }
  return PipelineTokenizer::create({.vocabulary = std::move(vocabulary),
                                    .added = {},
                                    .normalizer = {},
                                    .pre_tokenizer = {},
                                    .model = LongestMatchModel(bytes_of),
                                    .kind = "bytes"});
}

Result<std::shared_ptr<const Tokenizer>> fromFolder(const Checkpoint& checkpoint) {
  if (countsBytes(checkpoint)) {
    TRY_ASSIGN(const bool bare, hasNoTokenizerFile(checkpoint));
    if (bare) return bytesTokenizer();
  }
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
