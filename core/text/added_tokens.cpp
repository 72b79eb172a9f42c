#include "core/text/added_tokens.h"

#include "core/text/unicode.h"

#include <algorithm>

namespace vitrine::core {
namespace {

// Bounds the work at each position of a text; the longest of real models have some 60 bytes.
constexpr std::size_t kMaxContentBytes = 1024;

std::size_t previousCodePoint(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && (static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80);
  return at;
}

bool touchesWord(std::string_view text, ByteRange range) {
  if (range.begin > 0 && isWordCharacter(codePointAt(text, previousCodePoint(text, range.begin)).value))
    return true;
  return range.end < text.size() && isWordCharacter(codePointAt(text, range.end).value);
}

// The range of a match with the white space that its token takes along; nothing before `from` is taken.
ByteRange stripped(const AddedToken& token, std::string_view text, ByteRange range, std::uint32_t from) {
  while (token.left_strip && range.begin > from) {
    const std::size_t before = previousCodePoint(text, range.begin);
    if (!isWhitespace(codePointAt(text, before).value)) break;
    range.begin = static_cast<std::uint32_t>(before);
  }
  while (token.right_strip && range.end < text.size()) {
    const CodePoint next = codePointAt(text, range.end);
    if (!isWhitespace(next.value)) break;
    range.end += next.bytes;
  }
  return range;
}

}  // namespace

Result<AddedTokenMatcher> AddedTokenMatcher::create(std::vector<AddedToken> tokens) {
  AddedTokenMatcher matcher;
  matcher.tokens_ = std::move(tokens);
  std::vector<ByteTrie::Entry> entries;
  for (std::size_t index = 0; index < matcher.tokens_.size(); ++index) {
    const AddedToken& token = matcher.tokens_[index];
    if (token.content.empty() || token.content.size() > kMaxContentBytes) {
      return fail(ErrorCode::kInvalidFile, "added token {} has {} bytes; 1 to {} are possible", token.id,
                  token.content.size(), kMaxContentBytes);
    }
    entries.push_back({token.content, static_cast<std::int32_t>(index)});
    matcher.first_byte_[static_cast<std::uint8_t>(token.content[0])] = true;
  }
  matcher.trie_ = ByteTrie(std::move(entries));
  return matcher;
}

const AddedToken* AddedTokenMatcher::longestAt(std::string_view text, std::size_t at,
                                               SpecialTokens special) const {
  const AddedToken* longest = nullptr;
  trie_.forEachPrefix(text.substr(at), [&](ByteTrie::Match match) {
    const AddedToken& token = tokens_[static_cast<std::size_t>(match.value)];
    if (special == SpecialTokens::kParse || !token.special) longest = &token;
  });
  return longest;
}

std::vector<TextSegment> AddedTokenMatcher::split(std::string_view text, SpecialTokens special) const {
  std::vector<TextSegment> segments;
  std::uint32_t done = 0;  // what lies before it has its segment
  for (std::uint32_t at = 0; at < text.size();) {
    const AddedToken* token =
        first_byte_[static_cast<std::uint8_t>(text[at])] ? longestAt(text, at, special) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    const ByteRange match{at, at + static_cast<std::uint32_t>(token->content.size())};
    at = match.end;
    if (token->single_word && touchesWord(text, match)) continue;
    const ByteRange range = stripped(*token, text, match, done);
    if (range.begin > done) segments.push_back({{done, range.begin}, std::nullopt});
    segments.push_back({range, token->id});
    done = at = range.end;
  }
  if (done < text.size()) segments.push_back({{done, static_cast<std::uint32_t>(text.size())}, std::nullopt});
  return segments;
}

}  // namespace vitrine::core
