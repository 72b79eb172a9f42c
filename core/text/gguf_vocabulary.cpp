#include "core/text/gguf_vocabulary.h"

#include "core/text/unicode.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace vitrine::core::gguf {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

Result<TokenType> tokenTypeOf(const Json& value, std::size_t id) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0 || value.get<std::int64_t>() > 6) {
    return fail(ErrorCode::kInvalidFile, "tokenizer.ggml.token_type[{}] must be a number from 0 to 6", id);
  }
  return static_cast<TokenType>(value.get<int>());
}

// An array with an entry for each token, or null where the file has none.
Result<const Json*> perToken(const Json& metadata, std::string_view name, std::size_t tokens) {
  if (findField(metadata, keyOf(name)) == nullptr) return nullptr;
  TRY_ASSIGN(const Json* array, requireArray(metadata, keyOf(name)));
  if (array->size() != tokens) {
    return fail(ErrorCode::kInvalidFile, "{}{} has {} entries, but there are {} tokens", kPrefix, name,
                array->size(), tokens);
  }
  return array;
}

}  // namespace

std::string keyOf(std::string_view name) {
  return std::string(kPrefix) + std::string(name);
}

Result<Vocabulary> readVocabulary(const Json& metadata) {
  TRY_ASSIGN(const Json* tokens, requireArray(metadata, keyOf("tokens")));
  if (tokens->empty()) return fail(ErrorCode::kInvalidFile, "tokenizer.ggml.tokens is empty");
  TRY_ASSIGN(const Json* types, perToken(metadata, "token_type", tokens->size()));
  Vocabulary vocabulary(tokens->size());
  for (std::size_t id = 0; id < tokens->size(); ++id) {
    const Json& piece = (*tokens)[id];
    if (!piece.is_string()) {
      return fail(ErrorCode::kInvalidFile, "tokenizer.ggml.tokens[{}] must be a string, not {}", id,
                  describeType(piece));
    }
    TokenType type = TokenType::kNormal;
    if (types != nullptr) {
      TRY_ASSIGN(type, tokenTypeOf((*types)[id], id));
    }
    vocabulary.set(static_cast<TokenId>(id), piece.get<std::string>(), type);
  }
  return vocabulary;
}

Result<std::optional<TokenId>> readId(const Json& metadata, std::string_view name,
                                      const Vocabulary& vocabulary) {
  const Json* field = findField(metadata, keyOf(name));
  if (field == nullptr) return std::nullopt;
  if (*field == -1 || *field == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return toTokenId(*field, vocabulary.size(), keyOf(name));
}

// GGUF says nothing of the white space around such a token; llama.cpp knows
// that Phi-3's take along what follows them, but for four.
std::vector<AddedToken> addedTokens(const Json& metadata, const Vocabulary& vocabulary) {
  const Json* name = findField(metadata, "general.name");
  const std::string model = name != nullptr && name->is_string() ? name->get<std::string>() : "";
  const bool phi3 = model.find("Phi-3") != std::string::npos || model.find("phi-3") != std::string::npos ||
                    model.find("Phi3") != std::string::npos || model.find("phi3") != std::string::npos;
  constexpr std::string_view kPlain[] = {"<unk>", "<s>", "<|endoftext|>"};
  std::vector<AddedToken> added;
  for (TokenId id = 0; vocabulary.contains(id); ++id) {
    const TokenType type = vocabulary.type(id);
    const bool special = type == TokenType::kControl || type == TokenType::kUnknown;
    if (!special && type != TokenType::kUserDefined) continue;
    AddedToken token{.id = id, .content = std::string(vocabulary.piece(id)), .special = special};
    if (token.content.empty()) continue;
    token.right_strip =
        phi3 && std::find(std::begin(kPlain), std::end(kPlain), token.content) == std::end(kPlain);
    added.push_back(std::move(token));
  }
  return added;
}

Result<std::vector<float>> readScores(const Json& metadata, std::size_t tokens) {
  TRY_ASSIGN(const Json* list, perToken(metadata, "scores", tokens));
  if (list == nullptr) return fail(ErrorCode::kInvalidFile, "tokenizer.ggml.scores is absent");
  std::vector<float> scores;
  scores.reserve(tokens);
  for (const Json& score : *list) {
    if (!score.is_number()) {
      return fail(ErrorCode::kInvalidFile, "tokenizer.ggml.scores[{}] must be a number, not {}",
                  scores.size(), describeType(score));
    }
    scores.push_back(score.get<float>());
  }
  return scores;
}

Result<void> readEnds(const Json& metadata, Ends defaults, PipelineTokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
  TRY_ASSIGN(const auto beginning, readId(metadata, "bos_token_id", vocabulary));
  parts.beginning_of_text = beginning ? beginning : defaults.beginning;
  TRY_ASSIGN(const bool adds_beginning, boolOr(metadata, keyOf("add_bos_token"), defaults.adds_beginning));
  if (adds_beginning && parts.beginning_of_text) parts.prompt_prefix = {*parts.beginning_of_text};

  std::vector<TokenId> endings;
  for (const std::string_view name : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
    TRY_ASSIGN(const auto id, readId(metadata, name, vocabulary));
    if (id) endings.push_back(*id);
  }
  if (endings.empty() && defaults.end) endings.push_back(*defaults.end);
  TRY_ASSIGN(const bool adds_end, boolOr(metadata, keyOf("add_eos_token"), defaults.adds_end));
  if (adds_end && !endings.empty()) parts.prompt_suffix = {endings.front()};
  parts.end_of_text = endOfTextIds(vocabulary, std::move(endings));
  return {};
}

}  // namespace vitrine::core::gguf
