#include "core/text/normalizer.h"

#include "core/text/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

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
