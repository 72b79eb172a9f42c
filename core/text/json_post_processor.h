// The "post_processor" of a tokenizer.json: the special tokens that a prompt has around it.
#pragma once

#include "core/text/json_fields.h"
#include "core/text/vocabulary.h"

#include <vector>

namespace vitrine::core {

struct JsonPromptFrame {
  bool given = false;  // by a template or its like, even if there is nothing in it
  std::vector<TokenId> prefix, suffix;
};

// kUnsupported names a processor that this version does not know.
Result<JsonPromptFrame> readPostProcessor(const Json& tokenizer, const Vocabulary& vocabulary);

}  // namespace vitrine::core
