// Regular expressions over UTF-8 text, on ICU, for patterns that come out of model files: a pattern that is
// wrong or that backtracks without end is an error, never a hang. ICU matches UTF-16; Utf16Text keeps the way
// back to bytes.
#pragma once

#include "gpu/error.h"

#include <unicode/regex.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

// Half-open range of bytes.
struct ByteRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  std::uint32_t size() const { return end - begin; }
  std::string_view of(std::string_view text) const { return text.substr(begin, size()); }
  bool operator==(const ByteRange&) const = default;
};

// A text as ICU wants it, and the byte at which each of its UTF-16 units begins.
class Utf16Text {
 public:
  static Utf16Text fromUtf8(std::string_view utf8);  // well-formed UTF-8
  static Utf16Text fromBytesAsAlphabet(
      std::string_view bytes);  // each byte as its character of GPT-2's alphabet

  const std::u16string& units() const { return units_; }
  std::uint32_t byteOf(std::size_t unit) const {
    return byte_of_unit_.empty() ? static_cast<std::uint32_t>(unit) : byte_of_unit_[unit];
  }

 private:
  std::u16string units_;
  std::vector<std::uint32_t> byte_of_unit_;  // one more than units_; empty where it is the identity
};

class Regex {
 public:
  // kInvalidFile names the pattern and what ICU says of it.
  static Result<Regex> compile(std::string_view pattern);
  // A pattern that matches `text` itself.
  static std::string quote(std::string_view text);

  const std::string& pattern() const { return pattern_; }

 private:
  friend class RegexScanner;
  std::string pattern_;
  std::shared_ptr<const icu::RegexPattern> compiled_;  // immutable: shared by threads
};

// Looks for one pattern in ranges of one text, from front to back. Outlives neither.
class RegexScanner {
 public:
  RegexScanner(const Regex& regex, const Utf16Text& text);

  // Appends the non-empty matches inside `range`, in order; nothing outside the range is seen, not even by
  // lookarounds. Ranges must be given in increasing order.
  Result<void> matchesIn(ByteRange range, std::vector<ByteRange>& out);

 private:
  const Regex& regex_;
  const Utf16Text& text_;
  icu::UnicodeString alias_;  // the same memory as text_
  std::unique_ptr<icu::RegexMatcher> matcher_;
  UErrorCode status_ = U_ZERO_ERROR;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t unit_ = 0;  // where the last range ended
};

}  // namespace vitrine::core
