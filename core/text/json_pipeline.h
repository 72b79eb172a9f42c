// The parts of a tokenizer.json that handle text before and after its model: "normalizer", "pre_tokenizer"
// and "decoder".
#pragma once

#include "core/text/json_fields.h"
#include "core/text/pipeline_tokenizer.h"

#include <string>
#include <vector>

namespace vitrine::core {

enum class JsonModelKind { kBpe, kUnigram, kWordPiece };

struct JsonPipeline {
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  bool byte_level = false;
  std::string space_mark;  // what becomes of a space; empty when byte-level
  DummySpace dummy_space = DummySpace::kNever;
  bool joins_punctuation = false;  // decoding drops the space before "." and "'s"
};

// kUnsupported names the step that this version does not know, kInvalidFile what is wrong with one that it
// does.
Result<JsonPipeline> readJsonPipeline(const Json& tokenizer, JsonModelKind kind);

}  // namespace vitrine::core
