#include "core/text/pre_tokenizer.h"

#include <algorithm>

namespace vitrine::core {
namespace {

// A stretch of a word: a match of the pattern, or what lies between two.
struct Stretch {
  ByteRange range;
  bool match = false;
};

void stretchesOf(ByteRange word, const std::vector<ByteRange>& matches, bool invert,
                 std::vector<Stretch>& out) {
  out.clear();
  std::uint32_t at = word.begin;
  for (const ByteRange& match : matches) {
    if (match.begin > at) out.push_back({{at, match.begin}, invert});
    out.push_back({match, !invert});
    at = match.end;
  }
  if (at < word.end) out.push_back({{at, word.end}, invert});
}

void appendMergedWithNext(const std::vector<Stretch>& stretches, std::vector<ByteRange>& words) {
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    ByteRange word = stretches[i].range;
    const bool takes_next = stretches[i].match && i + 1 < stretches.size() && !stretches[i + 1].match;
    if (takes_next) word.end = stretches[++i].range.end;
    words.push_back(word);
  }
}

void appendWords(const std::vector<Stretch>& stretches, SplitBehavior behavior,
                 std::vector<ByteRange>& words) {
  if (behavior == SplitBehavior::kMergedWithNext) return appendMergedWithNext(stretches, words);
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    const Stretch& stretch = stretches[i];
    const bool after_match = i > 0 && stretches[i - 1].match;
    if (behavior == SplitBehavior::kRemoved && stretch.match) continue;
    const bool joins =
        (behavior == SplitBehavior::kMergedWithPrevious && i > 0 && stretch.match && !after_match) ||
        (behavior == SplitBehavior::kContiguous && i > 0 && stretch.match == after_match);
    if (joins) {
      words.back().end = stretch.range.end;
    } else {
      words.push_back(stretch.range);
    }
  }
}

Result<void> splitByPattern(const PreTokenizerStep& step, const Utf16Text& utf16, SplitText& split) {
  RegexScanner scanner(*step.pattern, utf16);
  std::vector<ByteRange> words, matches;
  std::vector<Stretch> stretches;
  words.reserve(split.words.size());
  for (const ByteRange& word : split.words) {
    matches.clear();
    TRY(scanner.matchesIn(word, matches));
    stretchesOf(word, matches, step.invert, stretches);
    appendWords(stretches, step.behavior, words);
  }
  split.words = std::move(words);
  return {};
}

// Rewrites the text word by word: `rewrite` appends the word's new form to the new text.
template <typename Rewrite>
void rewriteWords(SplitText& split, Rewrite rewrite) {
  std::string text;
  text.reserve(split.text.size() + split.words.size());
  for (ByteRange& word : split.words) {
    const auto begin = static_cast<std::uint32_t>(text.size());
    rewrite(word.of(split.text), text);
    word = {begin, static_cast<std::uint32_t>(text.size())};
  }
  split.text = std::move(text);
}

void prefixSpaces(SplitText& split) {
  rewriteWords(split, [](std::string_view word, std::string& out) {
    if (!word.starts_with(' ')) out += ' ';
    out += word;
  });
}

void markSpaces(const PreTokenizerStep& step, FragmentPosition position, SplitText& split) {
  bool first = position == FragmentPosition::kFirst;
  rewriteWords(split, [&](std::string_view word, std::string& out) {
    const bool prefixed =
        step.prefix == PrefixScheme::kAlways || (step.prefix == PrefixScheme::kFirst && first);
    if (prefixed && !word.starts_with(' ') && !word.starts_with(step.mark)) out += step.mark;
    for (const char c : word) {
      if (c == ' ') {
        out += step.mark;
      } else {
        out += c;
      }
    }
    first = false;
  });
}

void splitAtMarks(std::string_view mark, SplitText& split) {
  std::vector<ByteRange> words;
  for (const ByteRange& word : split.words) {
    std::uint32_t begin = word.begin;
    for (std::size_t at = split.text.find(mark, begin + 1); at < word.end;
         at = split.text.find(mark, at + 1)) {
      words.push_back({begin, static_cast<std::uint32_t>(at)});
      begin = static_cast<std::uint32_t>(at);
    }
    words.push_back({begin, word.end});
  }
  split.words = std::move(words);
}

}  // namespace

Result<SplitText> PreTokenizer::apply(std::string text, FragmentPosition position) const {
  SplitText split;
  split.text = std::move(text);
  if (split.text.empty()) return split;
  split.words.push_back({0, static_cast<std::uint32_t>(split.text.size())});

  std::optional<Utf16Text> utf16;  // of split.text, made when a pattern needs it
  bool as_bytes = false;
  for (const PreTokenizerStep& step : steps_) {
    if (step.kind == PreTokenizerStep::Kind::kSplit) {
      if (!utf16)
        utf16 = as_bytes ? Utf16Text::fromBytesAsAlphabet(split.text) : Utf16Text::fromUtf8(split.text);
      TRY(splitByPattern(step, *utf16, split));
      continue;
    }
    utf16.reset();
    if (step.kind == PreTokenizerStep::Kind::kBytes) as_bytes = true;
    if (step.kind == PreTokenizerStep::Kind::kPrefixSpace) prefixSpaces(split);
    if (step.kind == PreTokenizerStep::Kind::kMetaspace) {
      markSpaces(step, position, split);
      if (step.split_at_marks) splitAtMarks(step.mark, split);
    }
  }
  return split;
}

}  // namespace vitrine::core
