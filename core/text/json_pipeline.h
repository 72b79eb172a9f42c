// The parts of a tokenizer.json that handle text before and after BPE: "normalizer", "pre_tokenizer" and
// "decoder".
#pragma once

#include "core/text/bpe_tokenizer.h"
#include "core/text/json_fields.h"

#include <string>
#include <vector>

namespace vitrine::core {

struct JsonPipeline {
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  bool byte_level = false;
  std::string space_mark;  // what becomes of a space; empty when byte-level
  DummySpace dummy_space = DummySpace::kNever;
};

// kUnsupported names the step that this version does not know, kInvalidFile what is wrong with one that it
// does.
Result<JsonPipeline> readJsonPipeline(const Json& tokenizer);

}  // namespace vitrine::core
