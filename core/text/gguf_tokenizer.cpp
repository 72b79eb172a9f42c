#include "core/text/bpe_tokenizer.h"
#include "core/text/json_fields.h"
#include "core/text/llamacpp_patterns.h"
#include "core/text/tokenizer_files.h"
#include "core/text/unicode.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

namespace vitrine::core {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";
constexpr std::string_view kSpaceMark = "▁";

std::string keyOf(std::string_view name) {
  return std::string(kPrefix) + std::string(name);
}

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

// The id under tokenizer.ggml.<name>; nullopt where the file has none, or says so with -1.
Result<std::optional<TokenId>> readId(const Json& metadata, std::string_view name,
                                      const Vocabulary& vocabulary) {
  const Json* field = findField(metadata, keyOf(name));
  if (field == nullptr) return std::nullopt;
  if (*field == -1 || *field == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return toTokenId(*field, vocabulary.size(), keyOf(name));
}

// What stands in the text as it is. GGUF says nothing of the white space around such a token; llama.cpp knows
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

Result<std::vector<SpelledMerge>> readMerges(const Json& metadata) {
  TRY_ASSIGN(const Json* list, requireArray(metadata, keyOf("merges")));
  std::vector<SpelledMerge> merges;
  merges.reserve(list->size());
  for (const Json& entry : *list) {
    const std::string* merge = entry.get_ptr<const std::string*>();
    const std::size_t space = merge == nullptr ? std::string::npos : merge->find(' ', 1);
    if (space == std::string::npos || space + 1 == merge->size()) {
      return fail(ErrorCode::kInvalidFile,
                  "tokenizer.ggml.merges[{}] must be two tokens with a space between them", merges.size());
    }
    merges.push_back({merge->substr(0, space), merge->substr(space + 1)});
  }
  return merges;
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

// Where the model's texts begin and end; `defaults` come from the kind of tokenizer.
struct Ends {
  std::optional<TokenId> beginning = std::nullopt;
  std::optional<TokenId> end = std::nullopt;
  bool adds_beginning = false;
};

Result<void> readEnds(const Json& metadata, Ends defaults, BpeTokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
  TRY_ASSIGN(const auto beginning, readId(metadata, "bos_token_id", vocabulary));
  parts.beginning_of_text = beginning ? beginning : defaults.beginning;
  TRY_ASSIGN(parts.adds_beginning_of_text, boolOr(metadata, keyOf("add_bos_token"), defaults.adds_beginning));
  if (!parts.beginning_of_text) parts.adds_beginning_of_text = false;

  std::vector<TokenId> endings;
  for (const std::string_view name : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
    TRY_ASSIGN(const auto id, readId(metadata, name, vocabulary));
    if (id) endings.push_back(*id);
  }
  if (endings.empty() && defaults.end) endings.push_back(*defaults.end);
  parts.end_of_text = endOfTextIds(vocabulary, std::move(endings));
  return {};
}

Result<std::shared_ptr<const Tokenizer>> readByteLevel(const Json& metadata) {
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(metadata));
  TRY_ASSIGN(const std::vector<SpelledMerge> merges, readMerges(metadata));
  if (findField(metadata, keyOf("pre")) == nullptr) {
    spdlog::warn(
        "the file has no tokenizer.ggml.pre: words are cut as llama.cpp's 'default' does, perhaps not as the "
        "model expects");
  }
  TRY_ASSIGN(const std::string pre, stringOr(metadata, keyOf("pre"), "default"));
  TRY_ASSIGN(const LlamaCppPreTokenizer words, llamaCppPreTokenizer(pre));
  std::vector<PreTokenizerStep> steps;
  for (const std::string& pattern : words.patterns) {
    TRY_ASSIGN(Regex regex, Regex::compile(pattern));
    steps.push_back({.kind = PreTokenizerStep::Kind::kSplit, .pattern = std::move(regex)});
  }
  TRY_ASSIGN(BpeModel model,
             BpeModel::fromMerges(vocabulary, merges,
                                  {.alphabet = BpeAlphabet::kBytes, .ignore_merges = words.ignore_merges}));
  std::vector<AddedToken> added = addedTokens(metadata, vocabulary);
  BpeTokenizerParts parts{.vocabulary = std::move(vocabulary),
                          .added = std::move(added),
                          .normalizer = {},
                          .pre_tokenizer = PreTokenizer(std::move(steps)),
                          .model = std::move(model)};
  TRY(readEnds(metadata, {.adds_beginning = words.adds_beginning_of_text}, parts));
  return BpeTokenizer::create(std::move(parts));
}

Result<std::shared_ptr<const Tokenizer>> readSentencePiece(const Json& metadata) {
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(metadata));
  TRY_ASSIGN(const std::vector<float> scores, readScores(metadata, vocabulary.size()));
  TRY_ASSIGN(std::optional<TokenId> unknown, readId(metadata, "unknown_token_id", vocabulary));
  const auto ofType = [&](TokenId id, TokenType type) -> std::optional<TokenId> {
    return vocabulary.type(id) == type ? std::optional(id) : std::nullopt;
  };
  if (!unknown) unknown = ofType(0, TokenType::kUnknown);
  TRY_ASSIGN(BpeModel model, BpeModel::fromScores(vocabulary, scores,
                                                  {.alphabet = BpeAlphabet::kCharacters,
                                                   .byte_fallback = true,
                                                   .unknown = unknown,
                                                   .fuse_unknown = true}));
  TRY_ASSIGN(const bool prefixes, boolOr(metadata, keyOf("add_space_prefix"), true));
  using Step = NormalizerStep;
  std::vector<Step> steps;
  if (prefixes) steps.push_back({.kind = Step::Kind::kPrepend, .to = std::string(kSpaceMark)});
  steps.push_back({.kind = Step::Kind::kReplaceText, .from = " ", .to = std::string(kSpaceMark)});

  const Ends defaults{ofType(1, TokenType::kControl), ofType(2, TokenType::kControl), true};
  std::vector<AddedToken> added = addedTokens(metadata, vocabulary);
  BpeTokenizerParts parts{.vocabulary = std::move(vocabulary),
                          .added = std::move(added),
                          .normalizer = Normalizer(std::move(steps)),
                          .pre_tokenizer = {},
                          .model = std::move(model),
                          .dummy_space = prefixes ? DummySpace::kEveryFragment : DummySpace::kNever,
                          .space_mark = std::string(kSpaceMark)};
  TRY(readEnds(metadata, defaults, parts));
  return BpeTokenizer::create(std::move(parts));
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> tokenizerFromGguf(const Json& metadata) {
  if (findField(metadata, keyOf("model")) == nullptr) {
    return fail(ErrorCode::kNotFound, "the file has no tokenizer (no tokenizer.ggml.model)");
  }
  TRY_ASSIGN(const std::string model, requireString(metadata, keyOf("model")));
  if (model == "gpt2") return readByteLevel(metadata);
  if (model == "llama") return readSentencePiece(metadata);
  const std::string_view known = model == "bert" ? " (WordPiece)" : model == "t5" ? " (Unigram)" : "";
  return fail(ErrorCode::kUnsupported,
              "tokenizer.ggml.model is '{}'{}; this version reads 'gpt2' (byte-level BPE) and 'llama' "
              "(SentencePiece BPE)",
              quotable(model), known);
}

}  // namespace vitrine::core
