#include "core/text/json_pipeline.h"

#include <nlohmann/json.hpp>

#include "core/text/base64.h"
#include "core/text/bert_steps.h"
#include "core/text/llamacpp_patterns.h"
#include "core/text/unicode.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kMaxSteps = 64;
constexpr int kMaxDepth = 8;

// Calls `visit` with each step of a component that may be a "Sequence" of others under `list_key`, nested or
// not.
template <typename Visit>
Result<void> forEachStep(const Json* component, std::string_view list_key, Visit visit, int depth = 0) {
  if (component == nullptr) return {};
  TRY_ASSIGN(const std::string type, requireString(*component, "type"));
  if (type != "Sequence") return visit(type, *component);
  if (depth == kMaxDepth)
    return fail(ErrorCode::kInvalidFile, "'{}' is nested more than {} deep", list_key, kMaxDepth);
  TRY_ASSIGN(const Json* list, requireArray(*component, list_key));
  for (const Json& step : *list) TRY(forEachStep(&step, list_key, visit, depth + 1));
  return {};
}

// {"String": "x"} or {"Regex": "x+"}, as a regular expression.
Result<Regex> readPattern(const Json& step) {
  TRY_ASSIGN(const Json* pattern, requireObject(step, "pattern"));
  if (findField(*pattern, "Regex") != nullptr) {
    TRY_ASSIGN(const std::string regex, requireString(*pattern, "Regex"));
    return Regex::compile(regex);
  }
  TRY_ASSIGN(const std::string text, requireString(*pattern, "String"));
  return Regex::compile(Regex::quote(text));
}

Result<NormalizerStep> readReplacement(const Json& step) {
  NormalizerStep out{.kind = NormalizerStep::Kind::kReplaceText};
  TRY_ASSIGN(out.to, requireString(step, "content"));
  TRY_ASSIGN(const Json* pattern, requireObject(step, "pattern"));
  if (findField(*pattern, "String") == nullptr) {
    out.kind = NormalizerStep::Kind::kReplaceRegex;
    TRY_ASSIGN(out.pattern, readPattern(step));
    return out;
  }
  TRY_ASSIGN(out.from, requireString(*pattern, "String"));
  if (out.from.empty())
    return fail(ErrorCode::kInvalidFile, "the normalizer 'Replace' replaces an empty string");
  return out;
}

Result<void> readBertNormalizer(const Json& step, JsonPipeline& out) {
  BertNormalization options;
  TRY_ASSIGN(options.cleans_text, boolOr(step, "clean_text", true));
  TRY_ASSIGN(options.spaces_han, boolOr(step, "handle_chinese_chars", true));
  TRY_ASSIGN(options.lowercases, boolOr(step, "lowercase", true));
  TRY_ASSIGN(options.strips_accents, boolOr(step, "strip_accents", options.lowercases));
  for (NormalizerStep& made : bertNormalization(options)) out.normalizer.push_back(std::move(made));
  return {};
}

Result<void> readPrecompiled(const Json& step, JsonPipeline& out) {
  TRY_ASSIGN(const std::string text, requireString(step, "precompiled_charsmap"));
  if (text.empty()) return {};  // the identity
  const std::optional<std::string> bytes = fromBase64(text);
  if (!bytes) return fail(ErrorCode::kInvalidFile, "the tokenizer's precompiled_charsmap is not base64");
  TRY_ASSIGN(Charsmap map, Charsmap::create(*bytes));
  out.normalizer.push_back({.kind = NormalizerStep::Kind::kCharsmap,
                            .charsmap = std::make_shared<const Charsmap>(std::move(map)),
                            .search = CharsmapSearch::kGraphemes});
  return {};
}

Result<void> readNormalizer(const std::string& type, const Json& step, JsonPipeline& out) {
  using Kind = NormalizerStep::Kind;
  if (type == "BertNormalizer") return readBertNormalizer(step, out);
  if (type == "Precompiled") return readPrecompiled(step, out);
  NormalizerStep parsed;
  if (type == "NFC") {
    parsed.kind = Kind::kNfc;
  } else if (type == "NFD") {
    parsed.kind = Kind::kNfd;
  } else if (type == "NFKC") {
    parsed.kind = Kind::kNfkc;
  } else if (type == "NFKD") {
    parsed.kind = Kind::kNfkd;
  } else if (type == "Lowercase") {
    parsed.kind = Kind::kLowercase;
  } else if (type == "StripAccents") {
    parsed.kind = Kind::kStripAccents;
  } else if (type == "Strip") {
    parsed.kind = Kind::kStrip;
    TRY_ASSIGN(parsed.left, boolOr(step, "strip_left", true));
    TRY_ASSIGN(parsed.right, boolOr(step, "strip_right", true));
  } else if (type == "Prepend") {
    parsed.kind = Kind::kPrepend;
    TRY_ASSIGN(parsed.to, requireString(step, "prepend"));
  } else if (type == "Replace") {
    TRY_ASSIGN(parsed, readReplacement(step));
    if (parsed.from == " ") out.space_mark = parsed.to;
  } else {
    return fail(ErrorCode::kUnsupported, "the tokenizer's normalizer '{}' is not known to this version",
                quotable(type));
  }
  out.normalizer.push_back(std::move(parsed));
  return {};
}

Result<SplitBehavior> readBehavior(const Json& step, std::string_view otherwise) {
  TRY_ASSIGN(const std::string behavior, stringOr(step, "behavior", std::string(otherwise)));
  if (behavior == "Isolated") return SplitBehavior::kIsolated;
  if (behavior == "Removed") return SplitBehavior::kRemoved;
  if (behavior == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (behavior == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (behavior == "Contiguous") return SplitBehavior::kContiguous;
  return fail(ErrorCode::kInvalidFile,
              "'{}' is no way to split: Isolated, Removed, MergedWithPrevious, MergedWithNext "
              "and Contiguous are",
              quotable(behavior));
}

Result<void> addSplit(std::string_view pattern, SplitBehavior behavior, JsonPipeline& out) {
  TRY_ASSIGN(Regex regex, Regex::compile(pattern));
  out.pre_tokenizer.push_back(
      {.kind = PreTokenizerStep::Kind::kSplit, .pattern = std::move(regex), .behavior = behavior});
  return {};
}

Result<void> readSplit(const Json& step, JsonPipeline& out) {
  PreTokenizerStep parsed{.kind = PreTokenizerStep::Kind::kSplit};
  TRY_ASSIGN(parsed.pattern, readPattern(step));
  TRY_ASSIGN(parsed.behavior, readBehavior(step, "Isolated"));
  TRY_ASSIGN(parsed.invert, boolOr(step, "invert", false));
  out.pre_tokenizer.push_back(std::move(parsed));
  return {};
}

Result<void> readByteLevel(const Json& step, JsonPipeline& out) {
  using Kind = PreTokenizerStep::Kind;
  TRY_ASSIGN(const bool prefixes, boolOr(step, "add_prefix_space", true));
  TRY_ASSIGN(const bool splits, boolOr(step, "use_regex", true));
  if (out.byte_level) return fail(ErrorCode::kInvalidFile, "the pre-tokenizer 'ByteLevel' occurs twice");
  out.byte_level = true;
  if (prefixes) out.pre_tokenizer.push_back({.kind = Kind::kPrefixSpace});
  if (splits) TRY(addSplit(gpt2Pattern(), SplitBehavior::kIsolated, out));
  out.pre_tokenizer.push_back({.kind = Kind::kBytes});
  return {};
}

Result<PrefixScheme> readPrefixScheme(const Json& step) {
  TRY_ASSIGN(const bool prefixes, boolOr(step, "add_prefix_space", true));
  TRY_ASSIGN(const std::string scheme, stringOr(step, "prepend_scheme", prefixes ? "always" : "never"));
  if (scheme == "always") return PrefixScheme::kAlways;
  if (scheme == "first") return PrefixScheme::kFirst;
  if (scheme == "never") return PrefixScheme::kNever;
  return fail(ErrorCode::kInvalidFile, "Metaspace's prepend_scheme '{}' must be always, first or never",
              quotable(scheme));
}

Result<void> readMetaspace(const Json& step, JsonPipeline& out) {
  PreTokenizerStep parsed{.kind = PreTokenizerStep::Kind::kMetaspace};
  TRY_ASSIGN(parsed.mark, stringOr(step, "replacement", "▁"));
  TRY_ASSIGN(parsed.prefix, readPrefixScheme(step));
  TRY_ASSIGN(parsed.split_at_marks, boolOr(step, "split", true));
  if (parsed.mark.empty()) return fail(ErrorCode::kInvalidFile, "Metaspace's replacement is empty");
  out.space_mark = parsed.mark;
  if (parsed.prefix == PrefixScheme::kAlways) out.dummy_space = DummySpace::kEverySegment;
  if (parsed.prefix == PrefixScheme::kFirst) out.dummy_space = DummySpace::kStart;
  out.pre_tokenizer.push_back(std::move(parsed));
  return {};
}

Result<void> readPreTokenizer(const std::string& type, const Json& step, JsonPipeline& out) {
  if (out.pre_tokenizer.size() > kMaxSteps) {
    return fail(ErrorCode::kInvalidFile, "the pre-tokenizer has more than {} steps", kMaxSteps);
  }
  if (type == "ByteLevel") return readByteLevel(step, out);
  if (type == "Split") return readSplit(step, out);
  if (type == "Metaspace") return readMetaspace(step, out);
  if (type == "Digits") {
    TRY_ASSIGN(const bool individual, boolOr(step, "individual_digits", false));
    return addSplit(R"(\p{N})", individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous, out);
  }
  if (type == "Punctuation") {
    TRY_ASSIGN(const SplitBehavior behavior, readBehavior(step, "Isolated"));
    return addSplit(kBertPunctuation, behavior, out);
  }
  if (type == "BertPreTokenizer") {
    TRY_ASSIGN(std::vector<PreTokenizerStep> words, bertWords());
    for (PreTokenizerStep& made : words) out.pre_tokenizer.push_back(std::move(made));
    return {};
  }
  if (type == "WhitespaceSplit") return addSplit(R"(\s+)", SplitBehavior::kRemoved, out);
  if (type == "Whitespace") {
    TRY(addSplit(R"(\w+|[^\w\s]+)", SplitBehavior::kRemoved, out));
    out.pre_tokenizer.back().invert = true;
    return {};
  }
  return fail(ErrorCode::kUnsupported, "the tokenizer's pre-tokenizer '{}' is not known to this version",
              quotable(type));
}

// Decoding follows from how the tokens are spelled; this makes sure that the file means the same.
Result<void> readDecoder(const std::string& type, const Json& step, JsonModelKind kind,
                         JsonPipeline& pipeline) {
  if (type == "WordPiece" && kind == JsonModelKind::kWordPiece) {
    TRY_ASSIGN(pipeline.joins_punctuation, boolOr(step, "cleanup", true));
    return {};
  }
  if (type == "ByteLevel" || type == "ByteFallback" || type == "Fuse" || type == "Metaspace") return {};
  TRY_ASSIGN(const std::string content, stringOr(step, "content", ""));
  if (type == "Strip" && content == " ") return {};
  if (type == "Replace") {
    TRY_ASSIGN(const Json* pattern, requireObject(step, "pattern"));
    TRY_ASSIGN(const std::string from, stringOr(*pattern, "String", ""));
    if (content == " " && from == pipeline.space_mark) return {};
  }
  return fail(ErrorCode::kUnsupported,
              "the tokenizer's decoder '{}' (content '{}') is not known to this version", quotable(type),
              quotable(content));
}

// How tokens spell spaces follows from the model and from the steps together.
Result<void> settleSpaces(JsonModelKind kind, JsonPipeline& out) {
  if (kind != JsonModelKind::kBpe && out.byte_level) {
    return fail(ErrorCode::kUnsupported, "the tokenizer's pre-tokenizer 'ByteLevel' is read with BPE only");
  }
  if (kind == JsonModelKind::kWordPiece) {
    out.dummy_space = DummySpace::kStart;
  } else if (out.byte_level) {
    out.space_mark.clear();
    out.dummy_space = DummySpace::kNever;
  } else if (out.space_mark.empty()) {
    return fail(
        ErrorCode::kUnsupported,
        "the tokenizer is neither byte-level nor does it spell spaces, as this version expects of BPE "
        "and Unigram");
  }
  return {};
}

}  // namespace

Result<JsonPipeline> readJsonPipeline(const Json& tokenizer, JsonModelKind kind) {
  JsonPipeline out;
  TRY(forEachStep(
      findField(tokenizer, "normalizer"), "normalizers",
      [&](const std::string& type, const Json& step) { return readNormalizer(type, step, out); }));
  if (out.normalizer.size() > kMaxSteps) {
    return fail(ErrorCode::kInvalidFile, "the normalizer has more than {} steps", kMaxSteps);
  }
  const auto prepends = [&](const NormalizerStep& step) {
    return step.kind == NormalizerStep::Kind::kPrepend && (step.to == out.space_mark || step.to == " ");
  };
  for (const NormalizerStep& step : out.normalizer) {
    if (prepends(step)) out.dummy_space = DummySpace::kEveryFragment;
  }
  TRY(forEachStep(
      findField(tokenizer, "pre_tokenizer"), "pretokenizers",
      [&](const std::string& type, const Json& step) { return readPreTokenizer(type, step, out); }));
  TRY(settleSpaces(kind, out));
  TRY(forEachStep(
      findField(tokenizer, "decoder"), "decoders",
      [&](const std::string& type, const Json& step) { return readDecoder(type, step, kind, out); }));
  return out;
}

}  // namespace vitrine::core
