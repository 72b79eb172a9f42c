#include "core/text/charsmap.h"

#include "core/text/unicode.h"

#include <cstring>

namespace vitrine::core {
namespace {

// The parts of a unit of the trie, as Darts-clone packs them.
bool hasLeaf(std::uint32_t unit) {
  return (unit >> 8 & 1) != 0;
}
std::uint32_t valueOf(std::uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
std::uint32_t labelOf(std::uint32_t unit) {
  return unit & 0x800000FF;
}
std::uint32_t offsetOf(std::uint32_t unit) {
  return (unit >> 10) << ((unit & 0x200) >> 6);
}

}  // namespace

Result<Charsmap> Charsmap::create(std::string_view bytes) {
  std::uint32_t trie_bytes = 0;
  if (bytes.size() < sizeof trie_bytes)
    return fail(ErrorCode::kInvalidFile, "the precompiled charsmap has {} bytes only", bytes.size());
  std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  bytes.remove_prefix(sizeof trie_bytes);
  if (trie_bytes == 0 || trie_bytes % sizeof(std::uint32_t) != 0 || trie_bytes >= bytes.size()) {
    return fail(ErrorCode::kInvalidFile,
                "the precompiled charsmap says that {} bytes of its {} are the trie: it is damaged",
                trie_bytes, bytes.size());
  }
  Charsmap map;
  map.units_.resize(trie_bytes / sizeof(std::uint32_t));
  std::memcpy(map.units_.data(), bytes.data(), trie_bytes);
  map.replacements_ = bytes.substr(trie_bytes);
  if (map.replacements_.back() != '\0')
    return fail(ErrorCode::kInvalidFile, "the last replacement of the precompiled charsmap has no end");
  if (firstInvalidUtf8(map.replacements_) != std::string_view::npos)
    return fail(ErrorCode::kInvalidFile, "the replacements of the precompiled charsmap are not UTF-8");
  return map;
}

std::string_view Charsmap::replacementAt(std::uint32_t offset) const {
  // Not in the middle of a character.
  const bool usable =
      offset < replacements_.size() && (static_cast<std::uint8_t>(replacements_[offset]) & 0xC0) != 0x80;
  return usable ? std::string_view(replacements_.c_str() + offset) : std::string_view();
}

Charsmap::Match Charsmap::find(std::string_view text, Length length) const {
  Match found;
  std::size_t node = offsetOf(units_[0]);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    node ^= byte;
    if (byte == 0 || node >= units_.size() || labelOf(units_[node]) != byte) break;
    const std::uint32_t unit = units_[node];
    node ^= offsetOf(unit);
    if (!hasLeaf(unit) || node >= units_.size()) continue;
    const bool whole = at + 1 == text.size() || (static_cast<std::uint8_t>(text[at + 1]) & 0xC0) != 0x80;
    if (!whole) continue;
    found = {at + 1, replacementAt(valueOf(units_[node]))};
    if (length == Length::kShortest) break;
  }
  return found;
}

// One grapheme cluster: as a whole when it is short and known, else character by character.
void Charsmap::appendReplaced(std::string_view cluster, std::string& out) const {
  constexpr std::size_t kMaxWholeBytes = 5;
  if (cluster.size() <= kMaxWholeBytes) {
    if (const Match match = find(cluster, Length::kShortest); match.bytes > 0) {
      out += match.replacement;
      return;
    }
  }
  for (std::size_t at = 0; at < cluster.size();) {
    const std::string_view character = cluster.substr(at, codePointAt(cluster, at).bytes);
    const Match match = find(character, Length::kShortest);
    out += match.bytes > 0 ? match.replacement : character;
    at += character.size();
  }
}

Result<std::string> Charsmap::apply(std::string_view utf8, CharsmapSearch search,
                                    std::size_t max_bytes) const {
  std::string out;
  std::vector<std::size_t> ends;
  if (search == CharsmapSearch::kGraphemes) ends = graphemeEnds(utf8);
  std::size_t at = 0;
  for (std::size_t cluster = 0; at < utf8.size(); ++cluster) {
    if (search == CharsmapSearch::kGraphemes) {
      appendReplaced(utf8.substr(at, ends[cluster] - at), out);
      at = ends[cluster];
    } else {
      const Match match = find(utf8.substr(at), Length::kLongest);
      const std::string_view character = utf8.substr(at, codePointAt(utf8, at).bytes);
      out += match.bytes > 0 ? match.replacement : character;
      at += match.bytes > 0 ? match.bytes : character.size();
    }
    if (out.size() > max_bytes) {
      return fail(ErrorCode::kUnsupported, "the tokenizer's charsmap makes more than {} bytes of {}",
                  max_bytes, utf8.size());
    }
  }
  return out;
}

}  // namespace vitrine::core
