// The "model" of a tokenizer.json: BPE, Unigram or WordPiece.
#pragma once

#include "core/text/json_pipeline.h"
#include "core/text/json_vocabulary.h"
#include "core/text/pipeline_tokenizer.h"

#include <optional>
#include <string>

namespace vitrine::core {

// kUnsupported names a type that this version does not read.
Result<JsonModelKind> jsonModelKind(const Json& model);

struct JsonModel {
  TextModel model;
  std::string kind;  // for display
  Spelling spelling = Spelling::kSpaceMarks;
  std::string mark;
};

// Marks the unknown token in the vocabulary.
Result<JsonModel> readJsonModel(JsonModelKind kind, const Json& model, const JsonPipeline& pipeline,
                                JsonVocabulary& tokens);

}  // namespace vitrine::core
