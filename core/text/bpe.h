// Byte pair encoding: again and again the neighbouring pair of the lowest rank becomes one symbol, the
// leftmost first among equals (Sennrich et al. 2016, arXiv:1508.07909). O(n log n) in the length of a word.
#pragma once

#include "core/text/regex.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace vitrine::core {

// A symbol and the bytes of the word that it spells. Negative ids merge with nothing.
struct BpeSymbol {
  std::int32_t id = -1;
  ByteRange bytes;
};

// The merges: an open-addressing table from a pair of ids to the rank of its merge and what it becomes.
class MergeTable {
 public:
  static constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

  struct Merge {
    std::uint32_t rank = kNoRank;  // lower merges first; pairs may share a rank
    std::int32_t merged = -1;
  };

  // The first merge of a pair counts. Ids are not negative.
  void add(std::int32_t left, std::int32_t right, Merge merge);
  // rank == kNoRank when the pair does not merge.
  Merge find(std::int32_t left, std::int32_t right) const;
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge;
  };
  static constexpr std::uint64_t kEmpty = std::numeric_limits<std::uint64_t>::max();

  std::size_t slotOf(std::uint64_t key) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

// Merges `symbols` (one word, in order) in place.
class BpeMerger {
 public:
  explicit BpeMerger(const MergeTable& table) : table_(table) {}
  void merge(std::vector<BpeSymbol>& symbols);

 private:
  // A symbol in the doubly linked list of those that are left.
  struct Node {
    std::uint32_t previous = 0;
    std::uint32_t next = 0;
    MergeTable::Merge merge;  // with the next one
  };
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  void rankPair(const std::vector<BpeSymbol>& symbols, std::uint32_t left);

  const MergeTable& table_;
  std::vector<Node> nodes_;
  std::vector<std::uint64_t>
      queue_;  // min-heap of rank << 32 | position; an entry is stale when its node's rank changed
};

}  // namespace vitrine::core
