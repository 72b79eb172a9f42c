#include "core/text/json_post_processor.h"

#include "core/text/unicode.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

constexpr int kMaxNesting = 8;
constexpr std::size_t kMaxFrame = 64;  // tokens around a prompt

// "special_tokens": {"<s>": {"ids": [1], ..}}
Result<void> appendSpecial(const Json& processor, const std::string& name, const Vocabulary& vocabulary,
                           std::vector<TokenId>& out) {
  TRY_ASSIGN(const Json* specials, requireObject(processor, "special_tokens"));
  const Json* special = findField(*specials, name);
  if (special == nullptr)
    return fail(ErrorCode::kInvalidFile, "the post-processor does not say what its '{}' is", quotable(name));
  TRY_ASSIGN(const Json* ids, requireArray(*special, "ids"));
  for (const Json& value : *ids) {
    TRY_ASSIGN(const TokenId id, toTokenId(value, vocabulary.size(), "a token of the post-processor"));
    out.push_back(id);
  }
  return {};
}

// "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]
Result<void> readTemplate(const Json& processor, const Vocabulary& vocabulary, JsonPromptFrame& out) {
  TRY_ASSIGN(const Json* single, requireArray(processor, "single"));
  bool after_text = false;
  for (const Json& part : *single) {
    if (findField(part, "Sequence") != nullptr) {
      if (after_text) return fail(ErrorCode::kUnsupported, "the post-processor's template repeats the text");
      after_text = true;
      continue;
    }
    TRY_ASSIGN(const Json* special, requireObject(part, "SpecialToken"));
    TRY_ASSIGN(const std::string name, requireString(*special, "id"));
    TRY(appendSpecial(processor, name, vocabulary, after_text ? out.suffix : out.prefix));
  }
  if (!after_text)
    return fail(ErrorCode::kInvalidFile, "the post-processor's template has no place for the text");
  return {};
}

// BertProcessing, RobertaProcessing: "cls": ["[CLS]", 101]
Result<void> appendPair(const Json& processor, std::string_view key, const Vocabulary& vocabulary,
                        std::vector<TokenId>& out) {
  TRY_ASSIGN(const Json* pair, requireArray(processor, key));
  if (pair->size() != 2)
    return fail(ErrorCode::kInvalidFile, "the post-processor's '{}' must be a token and its id", key);
  TRY_ASSIGN(const TokenId id, toTokenId((*pair)[1], vocabulary.size(), key));
  out.push_back(id);
  return {};
}

Result<void> readProcessor(const Json& processor, const Vocabulary& vocabulary, JsonPromptFrame& out,
                           int depth) {
  if (depth > kMaxNesting)
    return fail(ErrorCode::kInvalidFile, "'processors' is nested more than {} deep", kMaxNesting);
  TRY_ASSIGN(const std::string type, requireString(processor, "type"));
  if (type == "ByteLevel") return {};  // concerns offsets only
  if (type == "Sequence") {
    TRY_ASSIGN(const Json* list, requireArray(processor, "processors"));
    for (const Json& part : *list) TRY(readProcessor(part, vocabulary, out, depth + 1));
    return {};
  }
  JsonPromptFrame frame{.given = true};
  if (type == "TemplateProcessing") {
    TRY(readTemplate(processor, vocabulary, frame));
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    TRY(appendPair(processor, "cls", vocabulary, frame.prefix));
    TRY(appendPair(processor, "sep", vocabulary, frame.suffix));
  } else {
    return fail(ErrorCode::kUnsupported, "the tokenizer's post-processor '{}' is not known to this version",
                quotable(type));
  }
  // A later one puts its tokens around those of the earlier ones.
  out.given = true;
  out.prefix.insert(out.prefix.begin(), frame.prefix.begin(), frame.prefix.end());
  out.suffix.insert(out.suffix.end(), frame.suffix.begin(), frame.suffix.end());
  if (out.prefix.size() + out.suffix.size() > kMaxFrame)
    return fail(ErrorCode::kInvalidFile, "the post-processor puts more than {} tokens around a text",
                kMaxFrame);
  return {};
}

}  // namespace

Result<JsonPromptFrame> readPostProcessor(const Json& tokenizer, const Vocabulary& vocabulary) {
  JsonPromptFrame out;
  if (const Json* processor = findField(tokenizer, "post_processor"))
    TRY(readProcessor(*processor, vocabulary, out, 0));
  return out;
}

}  // namespace vitrine::core
