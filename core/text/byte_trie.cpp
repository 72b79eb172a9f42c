#include "core/text/byte_trie.h"

#include <algorithm>

namespace vitrine::core {

ByteTrie::ByteTrie(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) { return entry.key.empty(); });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.key < b.key; });
  entries.erase(std::unique(entries.begin(), entries.end(),
                            [](const Entry& a, const Entry& b) { return a.key == b.key; }),
                entries.end());
  struct Range {  // the entries whose keys begin with a node's string, which is so many bytes long
    std::uint32_t begin, end, depth;
  };
  std::vector<Range> ranges{{0, static_cast<std::uint32_t>(entries.size()), 0}};
  labels_.push_back('\0');
  for (std::size_t node = 0; node < ranges.size(); ++node) {
    auto [at, end, depth] = ranges[node];
    Node made{static_cast<std::uint32_t>(ranges.size()), -1};
    if (at < end && entries[at].key.size() == depth) made.value = entries[at++].value;
    while (at < end) {
      const std::uint32_t begin = at;
      const char byte = entries[at].key[depth];
      while (at < end && entries[at].key[depth] == byte) ++at;
      ranges.push_back({begin, at, depth + 1});
      labels_.push_back(byte);
    }
    nodes_.push_back(made);
  }
  nodes_.push_back({static_cast<std::uint32_t>(ranges.size()), -1});
}

ByteTrie::Match ByteTrie::longestPrefix(std::string_view text) const {
  Match longest;
  forEachPrefix(text, [&](Match match) { longest = match; });
  return longest;
}

}  // namespace vitrine::core
