// A fixed set of byte strings, each with a value, and which of them a text begins with. Some nine bytes a
// node; a step costs a search among the bytes that can follow.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

namespace vitrine::core {

class ByteTrie {
 public:
  struct Entry {
    std::string_view key;     // looked at by the constructor only
    std::int32_t value = -1;  // not negative
  };
  struct Match {
    std::size_t bytes = 0;
    std::int32_t value = -1;  // negative: none
  };

  ByteTrie() : ByteTrie(std::vector<Entry>()) {}
  // Of equal keys the first counts; empty ones are passed over.
  explicit ByteTrie(std::vector<Entry> entries);

  // Calls visit(Match) for each key that `text` begins with, the shortest first.
  template <typename Visit>
  void forEachPrefix(std::string_view text, Visit visit) const {
    std::uint32_t node = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      node = child(node, text[at]);
      if (node == kNone) return;
      if (nodes_[node].value >= 0) visit(Match{at + 1, nodes_[node].value});
    }
  }
  Match longestPrefix(std::string_view text) const;

 private:
  // Nodes in breadth-first order: the children of one lie between its first_child and the next one's.
  struct Node {
    std::uint32_t first_child = 0;
    std::int32_t value = -1;
  };
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t child(std::uint32_t node, char byte) const {
    const std::uint32_t first = nodes_[node].first_child;
    const void* found = std::memchr(labels_.data() + first, byte, nodes_[node + 1].first_child - first);
    return found == nullptr ? kNone
                            : static_cast<std::uint32_t>(static_cast<const char*>(found) - labels_.data());
  }

  std::vector<Node> nodes_;   // and one more, where the last one's children end
  std::vector<char> labels_;  // the byte that leads to each node
};

}  // namespace vitrine::core
