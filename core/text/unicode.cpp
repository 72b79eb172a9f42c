#include "core/text/unicode.h"

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace vitrine::core {
namespace {

int widthOf(char32_t code_point) {
  const auto c = static_cast<UChar32>(code_point);
  const auto invisible = U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK | U_GC_CC_MASK;
  if (U_GET_GC_MASK(c) & invisible) return 0;
  const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

// What a reader takes for characters (extended grapheme clusters), and the columns of each.
struct Cluster {
  std::string text;
  int columns = 0;
};

std::vector<Cluster> clustersOf(std::string_view utf8) {
  std::vector<Cluster> clusters;
  std::size_t begin = 0;
  for (const std::size_t end : graphemeEnds(utf8)) {
    Cluster cluster{std::string(utf8.substr(begin, end - begin))};
    cluster.columns = std::min(2, displayWidth(cluster.text));  // a joined emoji sequence is one glyph
    clusters.push_back(std::move(cluster));
    begin = end;
  }
  return clusters;
}

}  // namespace

CodePoint codePointAt(std::string_view utf8, std::size_t at) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(utf8.data()) + at;
  if (bytes[0] < 0x80) return {bytes[0], 1, true};
  const auto length = static_cast<std::int32_t>(std::min<std::size_t>(utf8.size() - at, 4));
  std::int32_t next = 0;
  UChar32 value = 0;
  U8_NEXT(bytes, next, length, value);
  if (value < 0) return {0xFFFD, static_cast<std::uint32_t>(next), false};
  return {static_cast<char32_t>(value), static_cast<std::uint32_t>(next), true};
}

void appendUtf8(std::string& out, char32_t code_point) {
  char bytes[U8_MAX_LENGTH];
  std::int32_t length = 0;
  UBool error = false;
  U8_APPEND(bytes, length, U8_MAX_LENGTH, static_cast<UChar32>(code_point), error);
  out.append(error ? "\xEF\xBF\xBD" : std::string_view(bytes, static_cast<std::size_t>(length)));
}

std::size_t firstInvalidUtf8(std::string_view utf8) {
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint next = codePointAt(utf8, at);
    if (!next.valid) return at;
    at += next.bytes;
  }
  return std::string_view::npos;
}

std::size_t incompleteSuffix(std::string_view bytes) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(3, bytes.size()); ++length) {
    const std::size_t at = bytes.size() - length;
    const auto lead = static_cast<std::uint8_t>(bytes[at]);
    if (U8_IS_TRAIL(lead)) continue;
    if (!U8_IS_LEAD(lead)) return 0;
    // An unfinished character is ill-formed up to the very end.
    const CodePoint last = codePointAt(bytes, at);
    return !last.valid && last.bytes == length ? length : 0;
  }
  return 0;
}

std::string replaceInvalidUtf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint next = codePointAt(bytes, at);
    if (next.valid) {
      out.append(bytes.substr(at, next.bytes));
    } else {
      out.append("\xEF\xBF\xBD");
    }
    at += next.bytes;
  }
  return out;
}

bool isWhitespace(char32_t code_point) {
  return u_isUWhiteSpace(static_cast<UChar32>(code_point));
}

bool isWordCharacter(char32_t code_point) {
  const auto c = static_cast<UChar32>(code_point);
  return u_isUAlphabetic(c) || (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL);
}

std::vector<std::size_t> graphemeEnds(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  std::vector<std::size_t> ends;
  if (U_FAILURE(status)) {  // ICU's data is missing: each character is a cluster
    for (std::size_t at = 0; at < utf8.size(); ends.push_back(at)) at += codePointAt(utf8, at).bytes;
    return ends;
  }
  const auto text =
      icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
  breaks->setText(text);
  std::size_t byte = 0;
  std::int32_t unit = 0;
  for (std::int32_t end = breaks->next(); end != icu::BreakIterator::DONE; end = breaks->next()) {
    while (unit < end) {
      const CodePoint next = codePointAt(utf8, byte);
      byte += next.bytes;
      unit += next.value < 0x10000 ? 1 : 2;
    }
    ends.push_back(byte);
  }
  return ends;
}

int displayWidth(std::string_view utf8) {
  int columns = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint next = codePointAt(utf8, at);
    columns += widthOf(next.value);
    at += next.bytes;
  }
  return columns;
}

std::string elideMiddle(std::string_view utf8, int columns) {
  const std::vector<Cluster> clusters = clustersOf(utf8);
  int total = 0;
  for (const Cluster& cluster : clusters) total += cluster.columns;
  if (total <= columns) return std::string(utf8);
  if (columns < 1) return "";
  int left = (columns - 1) - (columns - 1) / 2;
  int right = (columns - 1) / 2;
  std::size_t head = 0;
  while (clusters[head].columns <= left) left -= clusters[head++].columns;
  std::size_t tail = clusters.size();
  while (clusters[tail - 1].columns <= right) right -= clusters[--tail].columns;
  std::string out;
  for (std::size_t i = 0; i < head; ++i) out += clusters[i].text;
  out += "…";
  for (std::size_t i = tail; i < clusters.size(); ++i) out += clusters[i].text;
  return out;
}

std::string quotable(std::string_view bytes, int columns) {
  constexpr std::size_t kMaxBytes = 1024;  // before anything is measured
  std::string out;
  bytes = bytes.substr(0, kMaxBytes);
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint next = codePointAt(bytes, at);
    const bool control =
        U_GET_GC_MASK(static_cast<UChar32>(next.value)) & (U_GC_CC_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK);
    appendUtf8(out, control ? U'\uFFFD' : next.value);
    at += next.bytes;
  }
  return elideMiddle(out, columns);
}

}  // namespace vitrine::core
