#include "core/text/json_model.h"

#include <nlohmann/json.hpp>

#include "core/text/unicode.h"

namespace vitrine::core {
namespace {

Result<void> refuseAffixes(const Json& model) {
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    TRY_ASSIGN(const std::string affix, stringOr(model, key, ""));
    if (!affix.empty())
      return fail(ErrorCode::kUnsupported, "the tokenizer's '{}' ('{}') is not supported", key,
                  quotable(affix));
  }
  const Json* dropout = findField(model, "dropout");
  if (dropout != nullptr && *dropout != 0) {
    return fail(ErrorCode::kUnsupported,
                "the tokenizer drops merges at random ('dropout'), which is for training only");
  }
  return {};
}

// A special token keeps its type: decoding is the same for both.
void markUnknown(Vocabulary& vocabulary, TokenId id) {
  if (vocabulary.type(id) == TokenType::kNormal) vocabulary.setType(id, TokenType::kUnknown);
}

// The token that `unk_token` names; nullopt where it names none.
Result<std::optional<TokenId>> readUnknown(const Json& model, std::string_view otherwise,
                                           Vocabulary& vocabulary) {
  TRY_ASSIGN(const std::string unknown, stringOr(model, "unk_token", std::string(otherwise)));
  if (unknown.empty()) return std::nullopt;
  const std::optional<TokenId> id = vocabulary.find(unknown);
  if (!id) {
    return fail(ErrorCode::kInvalidFile, "the tokenizer's unk_token '{}' is not in its vocabulary",
                quotable(unknown));
  }
  markUnknown(vocabulary, *id);
  return id;
}

Result<std::vector<SpelledMerge>> readMergeList(const Json& model) {
  TRY_ASSIGN(const Json* list, requireArray(model, "merges"));
  std::vector<SpelledMerge> merges;
  merges.reserve(list->size());
  for (const Json& entry : *list) {
    if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
      merges.push_back({entry[0].get<std::string>(), entry[1].get<std::string>()});
      continue;
    }
    const std::string* merge = entry.get_ptr<const std::string*>();
    const std::size_t space = merge == nullptr ? std::string::npos : merge->find(' ');
    if (space == std::string::npos) {
      return fail(ErrorCode::kInvalidFile,
                  "merges[{}] must be two tokens with a space between them, or a list of two", merges.size());
    }
    merges.push_back({merge->substr(0, space), merge->substr(space + 1)});
  }
  return merges;
}

Result<JsonModel> readBpe(const Json& model, const JsonPipeline& pipeline, Vocabulary& vocabulary) {
  TRY(refuseAffixes(model));
  BpeOptions options;
  options.alphabet = pipeline.byte_level ? BpeAlphabet::kBytes : BpeAlphabet::kCharacters;
  TRY_ASSIGN(options.byte_fallback, boolOr(model, "byte_fallback", false));
  TRY_ASSIGN(options.ignore_merges, boolOr(model, "ignore_merges", false));
  TRY_ASSIGN(options.fuse_unknown, boolOr(model, "fuse_unk", false));
  TRY_ASSIGN(options.unknown, readUnknown(model, "", vocabulary));
  TRY_ASSIGN(const std::vector<SpelledMerge> merges, readMergeList(model));
  TRY_ASSIGN(BpeModel bpe, BpeModel::fromMerges(vocabulary, merges, options));
  if (pipeline.byte_level) return JsonModel{std::move(bpe), "byte-level BPE", Spelling::kByteAlphabet, ""};
  return JsonModel{std::move(bpe), "SentencePiece BPE", Spelling::kSpaceMarks, pipeline.space_mark};
}

Result<JsonModel> readUnigram(const Json& model, const JsonPipeline& pipeline, JsonVocabulary& tokens) {
  Vocabulary& vocabulary = tokens.vocabulary;
  if (tokens.scores.empty())
    return fail(ErrorCode::kInvalidFile,
                "the Unigram model's vocab must be a list of tokens and their scores");
  UnigramOptions options;
  TRY_ASSIGN(options.byte_fallback, boolOr(model, "byte_fallback", false));
  if (const Json* unknown = findField(model, "unk_id")) {
    TRY_ASSIGN(options.unknown, toTokenId(*unknown, vocabulary.size(), "the tokenizer's unk_id"));
    markUnknown(vocabulary, *options.unknown);
  }
  TRY_ASSIGN(UnigramModel unigram, UnigramModel::create(vocabulary, tokens.scores, options));
  return JsonModel{std::move(unigram), "SentencePiece Unigram", Spelling::kSpaceMarks, pipeline.space_mark};
}

Result<JsonModel> readWordPiece(const Json& model, Vocabulary& vocabulary) {
  WordPieceOptions options;
  TRY_ASSIGN(options.continuing_prefix, stringOr(model, "continuing_subword_prefix", "##"));
  if (options.continuing_prefix.empty())
    return fail(ErrorCode::kUnsupported, "the WordPiece model's continuing_subword_prefix is empty");
  TRY_ASSIGN(const auto unknown, readUnknown(model, "[UNK]", vocabulary));
  if (!unknown) return fail(ErrorCode::kInvalidFile, "the WordPiece model's unk_token is empty");
  options.unknown = *unknown;
  options.max_word_characters = 100;
  if (const Json* limit = findField(model, "max_input_chars_per_word")) {
    if (!limit->is_number_unsigned() || *limit == 0)
      return fail(ErrorCode::kInvalidFile,
                  "the tokenizer's max_input_chars_per_word must be a positive number");
    options.max_word_characters = limit->get<std::size_t>();
  }
  const std::string mark = options.continuing_prefix;
  return JsonModel{WordPieceModel(vocabulary, std::move(options)), "WordPiece", Spelling::kWordPieces, mark};
}

}  // namespace

Result<JsonModelKind> jsonModelKind(const Json& model) {
  // Old files have no type; only what the file itself says decides here.
  const Json* vocab = findField(model, "vocab");
  const bool scored = vocab != nullptr && vocab->is_array();
  const std::string_view guess = findField(model, "merges")                     ? "BPE"
                                 : scored                                       ? "Unigram"
                                 : findField(model, "max_input_chars_per_word") ? "WordPiece"
                                                                                : "unknown";
  TRY_ASSIGN(const std::string type, stringOr(model, "type", std::string(guess)));
  if (type == "BPE") return JsonModelKind::kBpe;
  if (type == "Unigram") return JsonModelKind::kUnigram;
  if (type == "WordPiece") return JsonModelKind::kWordPiece;
  return fail(ErrorCode::kUnsupported,
              "the tokenizer's model is '{}'; this version reads 'BPE', 'Unigram' and 'WordPiece'",
              quotable(type));
}

Result<JsonModel> readJsonModel(JsonModelKind kind, const Json& model, const JsonPipeline& pipeline,
                                JsonVocabulary& tokens) {
  if (kind == JsonModelKind::kBpe) return readBpe(model, pipeline, tokens.vocabulary);
  if (kind == JsonModelKind::kUnigram) return readUnigram(model, pipeline, tokens);
  return readWordPiece(model, tokens.vocabulary);
}

}  // namespace vitrine::core
