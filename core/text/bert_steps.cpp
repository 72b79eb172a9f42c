#include "core/text/bert_steps.h"

namespace vitrine::core {

std::vector<NormalizerStep> bertNormalization(BertNormalization options) {
  using Kind = NormalizerStep::Kind;
  std::vector<NormalizerStep> steps;
  if (options.cleans_text) steps.push_back({.kind = Kind::kCleanText});
  if (options.spaces_han) steps.push_back({.kind = Kind::kSpaceHan});
  if (options.strips_accents) {
    steps.push_back({.kind = Kind::kNfd});
    steps.push_back({.kind = Kind::kStripAccents});
  }
  if (options.lowercases) steps.push_back({.kind = Kind::kLowercase});
  return steps;
}

Result<std::vector<PreTokenizerStep>> bertWords() {
  using Kind = PreTokenizerStep::Kind;
  TRY_ASSIGN(Regex spaces, Regex::compile(R"(\s+)"));
  TRY_ASSIGN(Regex punctuation, Regex::compile(kBertPunctuation));
  std::vector<PreTokenizerStep> steps;
  steps.push_back({.kind = Kind::kSplit, .pattern = std::move(spaces), .behavior = SplitBehavior::kRemoved});
  steps.push_back({.kind = Kind::kSplit, .pattern = std::move(punctuation)});
  return steps;
}

}  // namespace vitrine::core
