// How BERT's texts are normalized and cut into words (google-research/bert, tokenization.py).
#pragma once

#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"

#include <vector>

namespace vitrine::core {

struct BertNormalization {
  bool cleans_text = true;
  bool spaces_han = true;
  bool strips_accents = true;
  bool lowercases = true;
};
std::vector<NormalizerStep> bertNormalization(BertNormalization options);

// White space lies between words, and each punctuation mark is one.
Result<std::vector<PreTokenizerStep>> bertWords();

// Unicode's punctuation, and what else of ASCII is neither letter nor digit.
inline constexpr std::string_view kBertPunctuation = R"([\p{P}!-/:-@\[-`{-~])";

}  // namespace vitrine::core
