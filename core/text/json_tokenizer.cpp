#include "core/text/json_fields.h"
#include "core/text/json_model.h"
#include "core/text/json_post_processor.h"
#include "core/text/tokenizer_files.h"
#include "core/text/unicode.h"
#include "gpu/log.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

Result<Json> parse(std::string_view text, std::string_view file) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kInvalidFile, "{} is not JSON: {}", file, quotable(error.what(), 200));
  }
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
      logWarning(fmt::format("ignored: {}", id.error().describe()));
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

struct Configurations {
  Json tokenizer;
  Json generation;
  const Json* model;
};

// tokenizer_config.json's "add_bos_token" and "add_eos_token" have the last word on what the post-processor
// says.
Result<void> readPromptFrame(const Json& tokenizer, const Json& config, const std::vector<TokenId>& endings,
                             PipelineTokenizerParts& parts) {
  TRY_ASSIGN(JsonPromptFrame frame, readPostProcessor(tokenizer, parts.vocabulary));
  if (!frame.prefix.empty()) parts.beginning_of_text = frame.prefix.front();
  const std::optional<TokenId> begin = parts.beginning_of_text;
  TRY_ASSIGN(const bool begins, boolOr(config, "add_bos_token", !frame.prefix.empty()));
  if (!begins && !frame.prefix.empty() && frame.prefix.front() == begin)
    frame.prefix.erase(frame.prefix.begin());
  if (begins && begin && frame.prefix.empty()) frame.prefix = {*begin};
  TRY_ASSIGN(const bool ends, boolOr(config, "add_eos_token", !frame.suffix.empty()));
  const bool has_end = !frame.suffix.empty() && !endings.empty() && frame.suffix.back() == endings.front();
  if (!ends && has_end) frame.suffix.pop_back();
  if (ends && frame.suffix.empty() && !endings.empty()) frame.suffix = {endings.front()};
  parts.prompt_prefix = std::move(frame.prefix);
  parts.prompt_suffix = std::move(frame.suffix);
  return {};
}

Result<void> readEnds(const Json& tokenizer, const Configurations& config, PipelineTokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
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
  TRY(readPromptFrame(tokenizer, config.tokenizer, endings, parts));
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
  TRY_ASSIGN(const Json* model, requireObject(tokenizer, "model"));
  TRY_ASSIGN(const JsonModelKind kind, jsonModelKind(*model));
  TRY_ASSIGN(const JsonPipeline pipeline, readJsonPipeline(tokenizer, kind));
  TRY_ASSIGN(JsonVocabulary tokens, readJsonVocabulary(tokenizer, *model));
  TRY_ASSIGN(JsonModel read, readJsonModel(kind, *model, pipeline, tokens));
  PipelineTokenizerParts parts{.vocabulary = std::move(tokens.vocabulary),
                               .added = std::move(tokens.added),
                               .normalizer = Normalizer(pipeline.normalizer),
                               .pre_tokenizer = PreTokenizer(pipeline.pre_tokenizer),
                               .model = std::move(read.model),
                               .kind = std::move(read.kind),
                               .spelling = read.spelling,
                               .mark = std::move(read.mark),
                               .joins_punctuation = pipeline.joins_punctuation,
                               .dummy_space = pipeline.dummy_space};
  TRY(readEnds(tokenizer, config, parts));
  return PipelineTokenizer::create(std::move(parts));
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromJson(std::string_view tokenizer_json,
                                                             std::string_view tokenizer_config_json) {
  HuggingFaceFiles files;
  files.tokenizer = tokenizer_json;
  files.tokenizer_config = tokenizer_config_json;
  return tokenizerFromHuggingFace(files);
}

}  // namespace vitrine::core
