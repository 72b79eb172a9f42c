// What a tokenizer.json's "normalizer" does to a text before it is cut into words: Unicode normalization
// forms, lower case, replacements, SentencePiece's space in front. A list of steps, applied in order to
// well-formed UTF-8.
#pragma once

#include "core/text/charsmap.h"
#include "core/text/regex.h"
#include "gpu/error.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

struct NormalizerStep {
  enum class Kind {
    kNfc,
    kNfd,
    kNfkc,
    kNfkd,
    kLowercase,
    kStripAccents,
    kPrepend,
    kReplaceText,
    kReplaceRegex,
    kStrip,
    kCleanText,    // BERT: no controls, and each white space character is a space
    kSpaceHan,     // BERT: a space on both sides of each Chinese character
    kMergeSpaces,  // a run of spaces is one
    kStripSpaces,  // none at the ends
    kCharsmap,
  };

  Kind kind = Kind::kNfc;
  std::string from = {};                        // kReplaceText: what is replaced, not empty
  std::optional<Regex> pattern = std::nullopt;  // kReplaceRegex
  std::string to = {};  // kReplace*: by what; kPrepend: what comes in front of a text that is not empty
  bool left = false, right = false;                    // kStrip: white space at which ends
  std::shared_ptr<const Charsmap> charsmap = nullptr;  // kCharsmap
  CharsmapSearch search = CharsmapSearch::kLongest;    // kCharsmap
};

class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<NormalizerStep> steps) : steps_(std::move(steps)) {}

  // kUnsupported when a step makes the text many times longer, which no tokenizer that means well does.
  Result<std::string> apply(std::string_view utf8) const;

  bool empty() const { return steps_.empty(); }

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace vitrine::core
