#include "core/text/longest_match.h"

#include <charconv>

namespace vitrine::core {

LongestMatchModel::LongestMatchModel(const std::vector<std::string>& bytes_of) {
  std::vector<ByteTrie::Entry> entries;
  entries.reserve(bytes_of.size());
  for (std::size_t id = 0; id < bytes_of.size(); ++id) {
    entries.push_back({bytes_of[id], static_cast<std::int32_t>(id)});
  }
  trie_ = ByteTrie(std::move(entries));
}

Result<void> LongestMatchModel::encode(const SplitText& split, std::vector<TokenId>& ids) const {
  for (const ByteRange& word : split.words) {
    std::string_view rest = word.of(split.text);
    while (!rest.empty()) {
      const ByteTrie::Match longest = trie_.longestPrefix(rest);
      if (longest.value < 0) {
        return fail(ErrorCode::kUnsupported, "the tokenizer has no token for '{}' and none for unknown text",
                    pieceOfByte(static_cast<std::uint8_t>(rest[0])));
      }
      ids.push_back(longest.value);
      rest.remove_prefix(longest.bytes);
    }
  }
  return {};
}

std::optional<std::string> unescaped(std::string_view spelled) {
  std::string bytes;
  for (std::size_t at = 0; at < spelled.size(); ++at) {
    if (spelled[at] != '\\') {
      bytes.push_back(spelled[at]);
      continue;
    }
    if (++at == spelled.size()) return std::nullopt;
    constexpr std::string_view kLetters = "tnr", kControls = "\t\n\r";
    if (const std::size_t control = kLetters.find(spelled[at]); control != std::string_view::npos) {
      bytes.push_back(kControls[control]);
    } else if (spelled[at] == 'x') {
      std::uint8_t value = 0;
      const std::string_view digits = spelled.substr(at + 1, 2);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
      bytes.push_back(static_cast<char>(value));
      at += 2;
    } else {
      bytes.push_back(spelled[at]);
    }
  }
  return bytes;
}

}  // namespace vitrine::core
