// The tokens of a tokenizer.json: "added_tokens" and its model's "vocab", a map of ids or Unigram's list of
// scores.
#pragma once

#include "core/text/added_tokens.h"
#include "core/text/json_fields.h"
#include "core/text/vocabulary.h"

#include <vector>

namespace vitrine::core {

struct JsonVocabulary {
  Vocabulary vocabulary;
  std::vector<AddedToken> added;
  std::vector<double> scores;  // Unigram's, one a token
};

// kInvalidFile names the token that has two ids, none, or one that is out of proportion to the file.
Result<JsonVocabulary> readJsonVocabulary(const Json& tokenizer, const Json& model);

}  // namespace vitrine::core
