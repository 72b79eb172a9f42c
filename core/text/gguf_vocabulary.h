// What every kind of tokenizer in a GGUF has: tokens with their types and scores, the ids of special ones,
// and where a text begins and ends ("tokenizer.ggml.*").
#pragma once

#include "core/text/json_fields.h"
#include "core/text/pipeline_tokenizer.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core::gguf {

// "tokenizer.ggml.<name>"
std::string keyOf(std::string_view name);

Result<Vocabulary> readVocabulary(const Json& metadata);
Result<std::vector<float>> readScores(const Json& metadata, std::size_t tokens);

// The id under tokenizer.ggml.<name>; nullopt where the file has none, or says so with -1.
Result<std::optional<TokenId>> readId(const Json& metadata, std::string_view name,
                                      const Vocabulary& vocabulary);

// The special and the user-defined tokens, which are looked for in the text as it is.
std::vector<AddedToken> addedTokens(const Json& metadata, const Vocabulary& vocabulary);

// Where the model's texts begin and end, and what a prompt has around it; the kind of tokenizer gives the
// defaults.
struct Ends {
  std::optional<TokenId> beginning = std::nullopt;
  std::optional<TokenId> end = std::nullopt;
  bool adds_beginning = false;
  bool adds_end = false;
};
Result<void> readEnds(const Json& metadata, Ends defaults, PipelineTokenizerParts& parts);

}  // namespace vitrine::core::gguf
