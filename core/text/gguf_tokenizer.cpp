#include "core/text/bert_steps.h"
#include "core/text/gguf_vocabulary.h"
#include "core/text/llamacpp_patterns.h"
#include "core/text/tokenizer_files.h"
#include "core/text/unicode.h"
#include "gpu/log.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

using namespace gguf;

constexpr std::string_view kSpaceMark = "▁";

// The id, where the vocabulary gives it this type.
std::optional<TokenId> ofType(const Vocabulary& vocabulary, TokenId id, TokenType type) {
  return vocabulary.type(id) == type ? std::optional(id) : std::nullopt;
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

Result<std::shared_ptr<const Tokenizer>> readByteLevel(const Json& metadata) {
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(metadata));
  TRY_ASSIGN(const std::vector<SpelledMerge> merges, readMerges(metadata));
  if (findField(metadata, keyOf("pre")) == nullptr) {
    logWarning(
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
  PipelineTokenizerParts parts{.vocabulary = std::move(vocabulary),
                               .added = std::move(added),
                               .normalizer = {},
                               .pre_tokenizer = PreTokenizer(std::move(steps)),
                               .model = std::move(model),
                               .kind = "byte-level BPE",
                               .spelling = Spelling::kByteAlphabet};
  TRY(readEnds(metadata, {.adds_beginning = words.adds_beginning_of_text}, parts));
  return PipelineTokenizer::create(std::move(parts));
}

Result<std::shared_ptr<const Tokenizer>> readSentencePiece(const Json& metadata) {
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(metadata));
  TRY_ASSIGN(const std::vector<float> scores, readScores(metadata, vocabulary.size()));
  TRY_ASSIGN(std::optional<TokenId> unknown, readId(metadata, "unknown_token_id", vocabulary));
  if (!unknown) unknown = ofType(vocabulary, 0, TokenType::kUnknown);
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

  const Ends defaults{ofType(vocabulary, 1, TokenType::kControl), ofType(vocabulary, 2, TokenType::kControl),
                      true};
  std::vector<AddedToken> added = addedTokens(metadata, vocabulary);
  PipelineTokenizerParts parts{.vocabulary = std::move(vocabulary),
                               .added = std::move(added),
                               .normalizer = Normalizer(std::move(steps)),
                               .pre_tokenizer = {},
                               .model = std::move(model),
                               .kind = "SentencePiece BPE",
                               .mark = std::string(kSpaceMark),
                               .dummy_space = prefixes ? DummySpace::kEveryFragment : DummySpace::kNever};
  TRY(readEnds(metadata, defaults, parts));
  return PipelineTokenizer::create(std::move(parts));
}

// T5's: after SentencePiece's own normalization, the most probable spelling.
Result<std::vector<NormalizerStep>> unigramSteps(const Json& metadata, bool prefixes) {
  using Kind = NormalizerStep::Kind;
  std::vector<NormalizerStep> steps;
  if (findField(metadata, keyOf("precompiled_charsmap")) != nullptr) {
    TRY_ASSIGN(const Json* list, requireArray(metadata, keyOf("precompiled_charsmap")));
    std::string bytes;
    bytes.reserve(list->size());
    for (const Json& byte : *list) {
      if (!byte.is_number_integer() || byte.get<std::int64_t>() < -128 || byte.get<std::int64_t>() > 255)
        return fail(ErrorCode::kInvalidFile, "tokenizer.ggml.precompiled_charsmap[{}] is no byte",
                    bytes.size());
      bytes.push_back(static_cast<char>(byte.get<int>()));
    }
    if (!bytes.empty()) {
      TRY_ASSIGN(Charsmap map, Charsmap::create(bytes));
      steps.push_back({.kind = Kind::kCharsmap,
                       .charsmap = std::make_shared<const Charsmap>(std::move(map)),
                       .search = CharsmapSearch::kLongest});
    }
  }
  TRY_ASSIGN(const bool trims, boolOr(metadata, keyOf("remove_extra_whitespaces"), false));
  if (trims) {
    steps.push_back({.kind = Kind::kMergeSpaces});
    steps.push_back({.kind = Kind::kStripSpaces});
  }
  if (prefixes) steps.push_back({.kind = Kind::kPrepend, .to = std::string(kSpaceMark)});
  steps.push_back({.kind = Kind::kReplaceText, .from = " ", .to = std::string(kSpaceMark)});
  return steps;
}

Result<std::shared_ptr<const Tokenizer>> readUnigram(const Json& metadata) {
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(metadata));
  TRY_ASSIGN(const std::vector<float> scores, readScores(metadata, vocabulary.size()));
  TRY_ASSIGN(std::optional<TokenId> unknown, readId(metadata, "unknown_token_id", vocabulary));
  if (!unknown) unknown = ofType(vocabulary, 2, TokenType::kUnknown);
  TRY_ASSIGN(UnigramModel model,
             UnigramModel::create(vocabulary, std::vector<double>(scores.begin(), scores.end()),
                                  {.unknown = unknown, .byte_fallback = true}));
  TRY_ASSIGN(const bool prefixes, boolOr(metadata, keyOf("add_space_prefix"), true));
  TRY_ASSIGN(std::vector<NormalizerStep> steps, unigramSteps(metadata, prefixes));
  const Ends defaults{.end = ofType(vocabulary, 1, TokenType::kControl), .adds_end = true};
  std::vector<AddedToken> added = addedTokens(metadata, vocabulary);
  PipelineTokenizerParts parts{.vocabulary = std::move(vocabulary),
                               .added = std::move(added),
                               .normalizer = Normalizer(std::move(steps)),
                               .pre_tokenizer = {},
                               .model = std::move(model),
                               .kind = "SentencePiece Unigram",
                               .mark = std::string(kSpaceMark),
                               .dummy_space = prefixes ? DummySpace::kEveryFragment : DummySpace::kNever};
  TRY(readEnds(metadata, defaults, parts));
  return PipelineTokenizer::create(std::move(parts));
}

// BERT's. A token that begins a word is spelled "▁the", one that goes on "ing".
Result<std::shared_ptr<const Tokenizer>> readWordPiece(const Json& metadata) {
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(metadata));
  TRY_ASSIGN(std::optional<TokenId> unknown, readId(metadata, "unknown_token_id", vocabulary));
  if (!unknown) unknown = vocabulary.find("[UNK]");
  if (!unknown) return fail(ErrorCode::kInvalidFile, "the WordPiece vocabulary has no unknown token");
  vocabulary.setType(*unknown, TokenType::kUnknown);
  TRY_ASSIGN(const auto begin, readId(metadata, "cls_token_id", vocabulary));
  TRY_ASSIGN(const auto end, readId(metadata, "seperator_token_id", vocabulary));  // GGUF spells it so
  TRY_ASSIGN(std::vector<PreTokenizerStep> words, bertWords());
  WordPieceModel model(vocabulary, {.word_prefix = std::string(kSpaceMark), .unknown = *unknown});
  std::vector<AddedToken> added = addedTokens(metadata, vocabulary);
  PipelineTokenizerParts parts{.vocabulary = std::move(vocabulary),
                               .added = std::move(added),
                               .normalizer = Normalizer(bertNormalization({})),
                               .pre_tokenizer = PreTokenizer(std::move(words)),
                               .model = std::move(model),
                               .kind = "WordPiece",
                               .mark = std::string(kSpaceMark),
                               .joins_punctuation = true,
                               .dummy_space = DummySpace::kStart};
  TRY(readEnds(metadata, {.beginning = begin, .end = end, .adds_beginning = true, .adds_end = true}, parts));
  return PipelineTokenizer::create(std::move(parts));
}

// RWKV's "world" vocabulary of byte strings.
Result<std::shared_ptr<const Tokenizer>> readRwkv(const Json& metadata) {
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(metadata));
  std::vector<std::string> bytes_of(vocabulary.size());
  for (TokenId id = 0; vocabulary.contains(id); ++id) {
    if (vocabulary.type(id) == TokenType::kControl || vocabulary.type(id) == TokenType::kUnknown) continue;
    auto bytes = unescaped(vocabulary.piece(id));
    if (!bytes) {
      return fail(ErrorCode::kInvalidFile, "token {} of the tokenizer, '{}', ends within an escape", id,
                  quotable(vocabulary.piece(id)));
    }
    bytes_of[static_cast<std::size_t>(id)] = std::move(*bytes);
  }
  std::vector<AddedToken> added = addedTokens(metadata, vocabulary);
  const Ends defaults{ofType(vocabulary, 0, TokenType::kControl), ofType(vocabulary, 0, TokenType::kControl)};
  PipelineTokenizerParts parts{.vocabulary = std::move(vocabulary),
                               .added = std::move(added),
                               .normalizer = {},
                               .pre_tokenizer = {},
                               .model = LongestMatchModel(bytes_of),
                               .kind = "RWKV world",
                               .spelling = Spelling::kEscapes};
  TRY(readEnds(metadata, defaults, parts));
  return PipelineTokenizer::create(std::move(parts));
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> tokenizerFromGguf(const Json& metadata) {
  if (findField(metadata, keyOf("model")) == nullptr) {
    return fail(ErrorCode::kNotFound, "the file has no tokenizer (no tokenizer.ggml.model)");
  }
  TRY_ASSIGN(const std::string model, requireString(metadata, keyOf("model")));
  if (model == "gpt2") return readByteLevel(metadata);
  if (model == "llama") return readSentencePiece(metadata);
  if (model == "bert") return readWordPiece(metadata);
  if (model == "t5") return readUnigram(metadata);
  if (model == "rwkv") return readRwkv(metadata);
  return fail(
      ErrorCode::kUnsupported,
      "tokenizer.ggml.model is '{}'; this version reads 'gpt2' (byte-level BPE), 'llama' (SentencePiece "
      "BPE), 't5' (Unigram), 'bert' (WordPiece) and 'rwkv'",
      quotable(model));
}

}  // namespace vitrine::core
