#include "core/text/regex.h"

#include "core/text/byte_alphabet.h"
#include "core/text/unicode.h"

#include <unicode/unistr.h>
#include <unicode/utf16.h>

#include <algorithm>

namespace vitrine::core {
namespace {

constexpr std::size_t kMaxPatternBytes = 1 << 16;
constexpr std::int32_t kMaxStackBytes = 64 << 20;
// ICU counts time in units of 10,000 backtracking states. The patterns of real models take less than ten
// states a character.
constexpr std::size_t kBaseTime = 500;
constexpr std::size_t kUnitsPerTime = 200;
// What ICU does not count adds up over many short ranges, so a whole text has a deadline too: a hundredth of
// the usual speed.
constexpr std::chrono::seconds kBaseDeadline{2};
constexpr std::chrono::microseconds kDeadlinePerUnit{4};

}  // namespace

Utf16Text Utf16Text::fromUtf8(std::string_view utf8) {
  Utf16Text text;
  text.units_.reserve(utf8.size());
  std::size_t at = 0;
  while (at < utf8.size() && static_cast<std::uint8_t>(utf8[at]) < 0x80) text.units_.push_back(utf8[at++]);
  if (at == utf8.size()) return text;
  text.byte_of_unit_.reserve(utf8.size() + 1);
  for (std::uint32_t unit = 0; unit < at; ++unit) text.byte_of_unit_.push_back(unit);
  while (at < utf8.size()) {
    const CodePoint next = codePointAt(utf8, at);
    text.byte_of_unit_.push_back(static_cast<std::uint32_t>(at));
    if (next.value < 0x10000) {
      text.units_.push_back(static_cast<char16_t>(next.value));
    } else {
      text.units_.push_back(static_cast<char16_t>(U16_LEAD(next.value)));
      text.units_.push_back(static_cast<char16_t>(U16_TRAIL(next.value)));
      text.byte_of_unit_.push_back(static_cast<std::uint32_t>(at));
    }
    at += next.bytes;
  }
  text.byte_of_unit_.push_back(static_cast<std::uint32_t>(at));
  return text;
}

Utf16Text Utf16Text::fromBytesAsAlphabet(std::string_view bytes) {
  Utf16Text text;
  text.units_.reserve(bytes.size());
  for (const char byte : bytes) text.units_.push_back(alphabetCharacter(static_cast<std::uint8_t>(byte)));
  return text;
}

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return fail(ErrorCode::kInvalidFile,
                "regular expression '{}' has {} bytes, more than the {} that are allowed", quotable(pattern),
                pattern.size(), kMaxPatternBytes);
  }
  if (const std::size_t bad = firstInvalidUtf8(pattern); bad != std::string_view::npos) {
    return fail(ErrorCode::kInvalidFile, "regular expression '{}' is not UTF-8 at byte {}", quotable(pattern),
                bad);
  }
  const auto text = icu::UnicodeString::fromUTF8(
      icu::StringPiece(pattern.data(), static_cast<std::int32_t>(pattern.size())));
  UParseError where{};
  UErrorCode status = U_ZERO_ERROR;
  std::shared_ptr<const icu::RegexPattern> compiled(icu::RegexPattern::compile(text, 0, where, status));
  if (U_FAILURE(status)) {
    return fail(ErrorCode::kInvalidFile, "regular expression '{}' cannot be compiled: {} at character {}",
                quotable(pattern), u_errorName(status), where.offset);
  }
  Regex regex;
  regex.pattern_ = pattern;
  regex.compiled_ = std::move(compiled);
  return regex;
}

std::string Regex::quote(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}-&#").find(c) != std::string_view::npos) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern;
}

RegexScanner::RegexScanner(const Regex& regex, const Utf16Text& text)
    : regex_(regex),
      text_(text),
      deadline_(std::chrono::steady_clock::now() + kBaseDeadline + kDeadlinePerUnit * text.units().size()) {
  const std::u16string& units = text.units();
  alias_.setTo(false, units.data(), static_cast<std::int32_t>(units.size()));
  matcher_.reset(regex.compiled_->matcher(alias_, status_));
  if (U_FAILURE(status_)) return;
  matcher_->setStackLimit(kMaxStackBytes, status_);
}

Result<void> RegexScanner::matchesIn(ByteRange range, std::vector<ByteRange>& out) {
  // Two units of one character share their byte: the first unit at or after it is the character's.
  while (text_.byteOf(unit_) < range.begin) ++unit_;
  const std::size_t first = unit_;
  while (text_.byteOf(unit_) < range.end) ++unit_;
  const std::size_t limit = unit_;

  if (U_SUCCESS(status_) && std::chrono::steady_clock::now() > deadline_) status_ = U_REGEX_TIME_OUT;
  if (U_SUCCESS(status_)) {
    matcher_->setTimeLimit(static_cast<std::int32_t>(kBaseTime + (limit - first) / kUnitsPerTime), status_);
    matcher_->region(static_cast<std::int64_t>(first), static_cast<std::int64_t>(limit), status_);
    while (U_SUCCESS(status_) && matcher_->find(status_)) {
      const std::int32_t begin = matcher_->start(status_);
      const std::int32_t end = matcher_->end(status_);
      if (begin < end) out.push_back({text_.byteOf(begin), text_.byteOf(end)});
    }
  }
  if (U_FAILURE(status_)) {
    return fail(ErrorCode::kUnsupported,
                "regular expression '{}' of the tokenizer gives up on a text of {} bytes: {}",
                quotable(regex_.pattern()), range.size(), u_errorName(status_));
  }
  return {};
}

}  // namespace vitrine::core
