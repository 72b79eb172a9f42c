// Cuts a text into the words inside which BPE may merge: a list of steps, as tokenizer.json's "pre_tokenizer"
// and llama.cpp's tokenizer.ggml.pre describe it. No step loses bytes but SplitBehavior::kRemoved.
#pragma once

#include "core/text/regex.h"
#include "gpu/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

// What becomes of the matches of a splitting pattern.
enum class SplitBehavior {
  kIsolated,            // a match is a word of its own
  kRemoved,             // dropped
  kMergedWithPrevious,  // the end of the word before it
  kMergedWithNext,      // the beginning of the word after it
  kContiguous,          // neighbouring matches are one word
};

enum class PrefixScheme { kNever, kFirst, kAlways };

struct PreTokenizerStep {
  enum class Kind {
    kSplit,        // by a pattern
    kPrefixSpace,  // a space before each word that has none
    kBytes,        // from here on patterns see each byte as its character of GPT-2's alphabet
    kMetaspace,    // spaces become `mark`, one is put in front, and each mark begins a word
  };

  Kind kind = Kind::kSplit;
  std::optional<Regex> pattern = std::nullopt;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // what lies between the matches takes the place of the matches
  std::string mark = {};
  PrefixScheme prefix = PrefixScheme::kNever;
  bool split_at_marks = true;
};

// A text, perhaps changed by the steps, and its words in order.
struct SplitText {
  std::string text;
  std::vector<ByteRange> words;
};

// Whether a fragment begins the whole text or follows a special token.
enum class FragmentPosition { kFirst, kLater };

class PreTokenizer {
 public:
  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<PreTokenizerStep> steps) : steps_(std::move(steps)) {}

  // `text` is well-formed UTF-8; without steps it is one word.
  Result<SplitText> apply(std::string text, FragmentPosition position) const;

 private:
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace vitrine::core
