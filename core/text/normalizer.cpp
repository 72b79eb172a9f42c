#include "core/text/normalizer.h"

#include "core/text/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>

namespace vitrine::core {
namespace {

// NFKD at its worst makes 11 bytes of one.
constexpr std::size_t kMaxGrowth = 32;
constexpr std::size_t kMaxAddition = 1 << 16;

using Kind = NormalizerStep::Kind;

const icu::Normalizer2* unicodeForm(Kind kind, UErrorCode& status) {
  switch (kind) {
    case Kind::kNfc:
      return icu::Normalizer2::getNFCInstance(status);
    case Kind::kNfd:
      return icu::Normalizer2::getNFDInstance(status);
    case Kind::kNfkc:
      return icu::Normalizer2::getNFKCInstance(status);
    default:
      return icu::Normalizer2::getNFKDInstance(status);
  }
}

Result<std::string> toUnicodeForm(Kind kind, std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = unicodeForm(kind, status);
  std::string out;
  out.reserve(text.size());
  if (U_SUCCESS(status)) {
    icu::StringByteSink<std::string> sink(&out);
    form->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink,
                        nullptr, status);
  }
  if (U_FAILURE(status)) {
    return fail(ErrorCode::kUnsupported, "Unicode normalization of {} bytes failed: {}", text.size(),
                u_errorName(status));
  }
  return out;
}

std::string toLowercase(std::string_view text) {
  constexpr char32_t kCapitalIWithDot = 0x130;  // the only character whose lower case is two
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = codePointAt(text, at);
    at += next.bytes;
    if (next.value == kCapitalIWithDot) {
      out += "i\u0307";
    } else {
      appendUtf8(out, static_cast<char32_t>(u_tolower(static_cast<UChar32>(next.value))));
    }
  }
  return out;
}

std::string withoutAccents(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = codePointAt(text, at);
    if (u_charType(static_cast<UChar32>(next.value)) != U_NON_SPACING_MARK)
      out += text.substr(at, next.bytes);
    at += next.bytes;
  }
  return out;
}

std::string stripped(const NormalizerStep& step, std::string_view text) {
  std::size_t begin = 0;
  while (step.left && begin < text.size()) {
    const CodePoint next = codePointAt(text, begin);
    if (!isWhitespace(next.value)) break;
    begin += next.bytes;
  }
  std::size_t end = text.size();
  for (std::size_t at = end; step.right && at > begin;) {
    do --at;
    while ((static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80);
    if (!isWhitespace(codePointAt(text, at).value)) break;
    end = at;
  }
  return std::string(text.substr(begin, end - begin));
}

Result<std::string> replaced(const NormalizerStep& step, std::string_view text, std::size_t max_bytes) {
  std::vector<ByteRange> places;
  if (step.kind == Kind::kReplaceRegex) {
    const Utf16Text utf16 = Utf16Text::fromUtf8(text);
    RegexScanner scanner(*step.pattern, utf16);
    TRY(scanner.matchesIn({0, static_cast<std::uint32_t>(text.size())}, places));
  } else {
    for (std::size_t at = text.find(step.from); at != std::string_view::npos;) {
      const std::size_t end = at + step.from.size();
      places.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)});
      at = text.find(step.from, end);
    }
  }
  const std::size_t bytes = text.size() + places.size() * step.to.size();
  if (bytes > max_bytes) {
    return fail(ErrorCode::kUnsupported, "the tokenizer's normalizer makes up to {} bytes of {}", bytes,
                text.size());
  }
  std::string out;
  out.reserve(bytes);
  std::size_t copied = 0;
  for (const ByteRange& place : places) {
    out += text.substr(copied, place.begin - copied);
    out += step.to;
    copied = place.end;
  }
  out += text.substr(copied);
  return out;
}

std::string cleaned(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = codePointAt(text, at);
    const bool line_control = next.value == '\t' || next.value == '\n' || next.value == '\r';
    // As Hugging Face's library does, BERT's own would drop unassigned characters, too.
    constexpr auto kControls = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK;
    const bool control = (U_GET_GC_MASK(static_cast<UChar32>(next.value)) & kControls) != 0;
    if (line_control || (!control && isWhitespace(next.value))) {
      out += ' ';
    } else if (!control && next.value != 0xFFFD) {
      out += text.substr(at, next.bytes);
    }
    at += next.bytes;
  }
  return out;
}

// The blocks that BERT takes for Chinese: ideographs, but neither kana nor hangul.
bool isHan(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

std::string withSpacedHan(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = codePointAt(text, at);
    const bool han = isHan(next.value);
    if (han) out += ' ';
    out += text.substr(at, next.bytes);
    if (han) out += ' ';
    at += next.bytes;
  }
  return out;
}

std::string withMergedSpaces(std::string text) {
  const auto end = std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; });
  text.erase(end, text.end());
  return text;
}

Result<std::string> applyStep(const NormalizerStep& step, std::string text, std::size_t max_bytes) {
  switch (step.kind) {
    case Kind::kNfc:
    case Kind::kNfd:
    case Kind::kNfkc:
    case Kind::kNfkd:
      return toUnicodeForm(step.kind, text);
    case Kind::kLowercase:
      return toLowercase(text);
    case Kind::kStripAccents:
      return withoutAccents(text);
    case Kind::kPrepend:
      return text.empty() ? text : step.to + text;
    case Kind::kReplaceText:
    case Kind::kReplaceRegex:
      return replaced(step, text, max_bytes);
    case Kind::kStrip:
      return stripped(step, text);
    case Kind::kCleanText:
      return cleaned(text);
    case Kind::kSpaceHan:
      return withSpacedHan(text);
    case Kind::kMergeSpaces:
      return withMergedSpaces(std::move(text));
    case Kind::kStripSpaces:
      text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
      text.erase(text.find_last_not_of(' ') + 1);
      return text;
    case Kind::kCharsmap:
      return step.charsmap->apply(text, step.search, max_bytes);
  }
  return text;
}

}  // namespace

Result<std::string> Normalizer::apply(std::string_view utf8) const {
  const std::size_t max_bytes = utf8.size() * kMaxGrowth + kMaxAddition;
  std::string text(utf8);
  for (const NormalizerStep& step : steps_) {
    TRY_ASSIGN(text, applyStep(step, std::move(text), max_bytes));
    if (text.size() > max_bytes) {
      return fail(ErrorCode::kUnsupported, "the tokenizer's normalizer makes {} bytes of {}", text.size(),
                  utf8.size());
    }
  }
  return text;
}

}  // namespace vitrine::core
