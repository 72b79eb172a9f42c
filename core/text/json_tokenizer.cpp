#include "core/text/bpe_tokenizer.h"
#include "core/text/json_fields.h"
#include "core/text/json_pipeline.h"
#include "core/text/tokenizer_files.h"
#include "core/text/unicode.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace vitrine::core {
namespace {

// Ids may leave holes, but a file of a few tokens must not claim billions of ids.
constexpr std::size_t kMaxHoles = 1 << 16;

Result<Json> parse(std::string_view text, std::string_view file) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kInvalidFile, "{} is not JSON: {}", file, quotable(error.what(), 200));
  }
}

// Only what the file itself says decides here: an absent type is BPE where there are merges.
Result<const Json*> requireBpe(const Json& tokenizer) {
  TRY_ASSIGN(const Json* model, requireObject(tokenizer, "model"));
  TRY_ASSIGN(const std::string type,
             stringOr(*model, "type", findField(*model, "merges") ? "BPE" : "unknown"));
  if (type != "BPE") {
    return fail(ErrorCode::kUnsupported, "the tokenizer's model is '{}'; this version reads 'BPE'",
                quotable(type));
  }
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    TRY_ASSIGN(const std::string affix, stringOr(*model, key, ""));
    if (!affix.empty())
      return fail(ErrorCode::kUnsupported, "the tokenizer's '{}' ('{}') is not supported", key,
                  quotable(affix));
  }
  const Json* dropout = findField(*model, "dropout");
  if (dropout != nullptr && *dropout != 0) {
    return fail(ErrorCode::kUnsupported,
                "the tokenizer drops merges at random ('dropout'), which is for training only");
  }
  return model;
}

Result<std::vector<AddedToken>> readAddedTokens(const Json& tokenizer, std::size_t max_ids) {
  std::vector<AddedToken> added;
  if (findField(tokenizer, "added_tokens") == nullptr) return added;
  TRY_ASSIGN(const Json* list, requireArray(tokenizer, "added_tokens"));
  for (const Json& entry : *list) {
    AddedToken token;
    TRY_ASSIGN(token.content, requireString(entry, "content"));
    const Json* id = findField(entry, "id");
    const auto number = toTokenId(id ? *id : Json(), max_ids, "its id");
    if (!number) return within("added token '" + quotable(token.content) + "'", number.error());
    token.id = *number;
    TRY_ASSIGN(token.special, boolOr(entry, "special", false));
    TRY_ASSIGN(token.left_strip, boolOr(entry, "lstrip", false));
    TRY_ASSIGN(token.right_strip, boolOr(entry, "rstrip", false));
    TRY_ASSIGN(token.single_word, boolOr(entry, "single_word", false));
    TRY_ASSIGN(token.normalized, boolOr(entry, "normalized", !token.special));
    added.push_back(std::move(token));
  }
  return added;
}

Result<void> spell(Vocabulary& vocabulary, TokenId id, const std::string& piece, TokenType type) {
  const std::string_view before = vocabulary.piece(id);
  if (!before.empty() && before != piece) {
    return fail(ErrorCode::kInvalidFile, "token id {} is both '{}' and '{}'", id, quotable(before),
                quotable(piece));
  }
  const std::optional<TokenId> other = vocabulary.find(piece);
  if (other && *other != id) {
    return fail(ErrorCode::kInvalidFile, "token '{}' has two ids, {} and {}", quotable(piece), *other, id);
  }
  if (before.empty()) {
    vocabulary.set(id, piece, type);
  } else {
    vocabulary.setType(id, type);
  }
  return {};
}

Result<Vocabulary> readVocabulary(const Json& model, const std::vector<AddedToken>& added,
                                  std::size_t max_ids) {
  TRY_ASSIGN(const Json* vocab, requireObject(model, "vocab"));
  TRY_ASSIGN(const bool byte_fallback, boolOr(model, "byte_fallback", false));
  std::vector<std::pair<TokenId, const std::string*>> pieces;
  pieces.reserve(vocab->size());
  std::size_t size = 0;
  for (const auto& [piece, value] : vocab->items()) {
    const auto id = toTokenId(value, max_ids, "its id");
    if (!id) return within("token '" + quotable(piece) + "'", id.error());
    pieces.emplace_back(*id, &piece);
    size = std::max(size, static_cast<std::size_t>(*id) + 1);
  }
  for (const AddedToken& token : added) size = std::max(size, static_cast<std::size_t>(token.id) + 1);
  if (size == 0) return fail(ErrorCode::kInvalidFile, "the tokenizer's vocabulary is empty");

  Vocabulary vocabulary(size);
  for (const auto& [id, piece] : pieces) {
    const bool is_byte = byte_fallback && byteOfPiece(*piece);
    TRY(spell(vocabulary, id, *piece, is_byte ? TokenType::kByte : TokenType::kNormal));
  }
  for (const AddedToken& token : added) {
    TRY(spell(vocabulary, token.id, token.content,
              token.special ? TokenType::kControl : TokenType::kUserDefined));
  }
  return vocabulary;
}

Result<std::vector<SpelledMerge>> readMerges(const Json& model) {
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

Result<BpeModel> readModel(const Json& model, const JsonPipeline& pipeline, Vocabulary& vocabulary) {
  BpeOptions options;
  options.alphabet = pipeline.byte_level ? BpeAlphabet::kBytes : BpeAlphabet::kCharacters;
  TRY_ASSIGN(options.byte_fallback, boolOr(model, "byte_fallback", false));
  TRY_ASSIGN(options.ignore_merges, boolOr(model, "ignore_merges", false));
  TRY_ASSIGN(options.fuse_unknown, boolOr(model, "fuse_unk", false));
  TRY_ASSIGN(const std::string unknown, stringOr(model, "unk_token", ""));
  if (!unknown.empty()) {
    options.unknown = vocabulary.find(unknown);
    if (!options.unknown) {
      return fail(ErrorCode::kInvalidFile, "the tokenizer's unk_token '{}' is not in its vocabulary",
                  quotable(unknown));
    }
    if (vocabulary.type(*options.unknown) == TokenType::kNormal) {
      vocabulary.setType(*options.unknown, TokenType::kUnknown);
    }
  }
  TRY_ASSIGN(const std::vector<SpelledMerge> merges, readMerges(model));
  return BpeModel::fromMerges(vocabulary, merges, options);
}

// "bos_token": "<s>" or {"content": "<s>", ..}
std::optional<TokenId> namedToken(const Json& config, std::string_view key, const Vocabulary& vocabulary) {
  const Json* token = findField(config, key);
  if (token != nullptr && token->is_object()) token = findField(*token, "content");
  if (token == nullptr || !token->is_string()) return std::nullopt;
  return vocabulary.find(token->get_ref<const std::string&>());
}

// "eos_token_id": 2 or [2, 3]. Configurations are shared and copied by hand: an id that is none is only worth
// a warning.
std::vector<TokenId> numberedTokens(const Json& config, std::string_view key, const Vocabulary& vocabulary) {
  std::vector<TokenId> ids;
  const auto take = [&](const Json& value) {
    const auto id = toTokenId(value, vocabulary.size(), key);
    if (id) {
      ids.push_back(*id);
    } else {
      spdlog::warn("ignored: {}", id.error().describe());
    }
  };
  const Json* field = findField(config, key);
  if (field == nullptr) return ids;
  if (!field->is_array()) {
    take(*field);
  } else {
    for (const Json& value : *field) take(value);
  }
  return ids;
}

// The token that the post-processor puts in front of every text.
std::optional<TokenId> templateBeginning(const Json* processor, const Vocabulary& vocabulary, int depth = 0) {
  constexpr int kMaxDepth = 8;
  if (processor == nullptr || depth == kMaxDepth) return std::nullopt;
  const Json* list = findField(*processor, "processors");
  if (list != nullptr && list->is_array()) {
    for (const Json& part : *list) {
      if (const auto id = templateBeginning(&part, vocabulary, depth + 1)) return id;
    }
  }
  const Json* single = findField(*processor, "single");
  if (single == nullptr || !single->is_array() || single->empty()) return std::nullopt;
  const Json* special = findField(single->front(), "SpecialToken");
  return special == nullptr ? std::nullopt : namedToken(*special, "id", vocabulary);
}

struct Configurations {
  Json tokenizer;
  Json generation;
  const Json* model;
};

Result<void> readEnds(const Json& tokenizer, const Configurations& config, BpeTokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
  const auto in_template = templateBeginning(findField(tokenizer, "post_processor"), vocabulary);
  parts.beginning_of_text = namedToken(config.tokenizer, "bos_token", vocabulary);
  std::vector<TokenId> endings;
  if (const auto id = namedToken(config.tokenizer, "eos_token", vocabulary)) endings.push_back(*id);
  for (const Json* source : {&config.generation, config.model}) {
    if (source == nullptr) continue;
    const std::vector<TokenId> beginnings = numberedTokens(*source, "bos_token_id", vocabulary);
    if (!parts.beginning_of_text && !beginnings.empty()) parts.beginning_of_text = beginnings.front();
    const std::vector<TokenId> ids = numberedTokens(*source, "eos_token_id", vocabulary);
    endings.insert(endings.end(), ids.begin(), ids.end());
  }
  if (in_template) parts.beginning_of_text = in_template;
  TRY_ASSIGN(parts.adds_beginning_of_text,
             boolOr(config.tokenizer, "add_bos_token", in_template.has_value()));
  if (!parts.beginning_of_text) parts.adds_beginning_of_text = false;
  parts.end_of_text = endOfTextIds(vocabulary, std::move(endings));
  return {};
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> tokenizerFromHuggingFace(const HuggingFaceFiles& files) {
  TRY_ASSIGN(const Json tokenizer, parse(files.tokenizer, "tokenizer.json"));
  Configurations config{Json::object(), Json::object(), files.model};
  if (!files.tokenizer_config.empty()) {
    TRY_ASSIGN(config.tokenizer, parse(files.tokenizer_config, "tokenizer_config.json"));
  }
  if (!files.generation_config.empty()) {
    TRY_ASSIGN(config.generation, parse(files.generation_config, "generation_config.json"));
  }
  TRY_ASSIGN(const Json* model, requireBpe(tokenizer));
  TRY_ASSIGN(const JsonPipeline pipeline, readJsonPipeline(tokenizer));
  TRY_ASSIGN(const Json* vocab, requireObject(*model, "vocab"));
  const Json* added_list = findField(tokenizer, "added_tokens");
  const std::size_t entries = vocab->size() + (added_list == nullptr ? 0 : added_list->size());
  const std::size_t max_ids = std::min<std::size_t>(2 * entries + kMaxHoles, std::size_t{1} << 30);
  TRY_ASSIGN(std::vector<AddedToken> added, readAddedTokens(tokenizer, max_ids));
  TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(*model, added, max_ids));
  TRY_ASSIGN(BpeModel bpe, readModel(*model, pipeline, vocabulary));
  BpeTokenizerParts parts{.vocabulary = std::move(vocabulary),
                          .added = std::move(added),
                          .normalizer = Normalizer(pipeline.normalizer),
                          .pre_tokenizer = PreTokenizer(pipeline.pre_tokenizer),
                          .model = std::move(bpe),
                          .dummy_space = pipeline.dummy_space,
                          .space_mark = pipeline.space_mark};
  TRY(readEnds(tokenizer, config, parts));
  return BpeTokenizer::create(std::move(parts));
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromJson(std::string_view tokenizer_json,
                                                             std::string_view tokenizer_config_json) {
  HuggingFaceFiles files;
  files.tokenizer = tokenizer_json;
  files.tokenizer_config = tokenizer_config_json;
  return tokenizerFromHuggingFace(files);
}

}  // namespace vitrine::core
