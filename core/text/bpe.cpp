#include "core/text/bpe.h"

#include <algorithm>
#include <functional>

namespace vitrine::core {
namespace {

std::uint64_t keyOf(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

std::size_t MergeTable::slotOf(std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  std::uint64_t hash = key * 0x9E3779B97F4A7C15u;  // Fibonacci hashing; the high bits are the mixed ones
  hash ^= hash >> 32;
  std::size_t slot = hash & mask;
  while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask;
  return slot;
}

void MergeTable::grow() {
  std::vector<Slot> old(std::max<std::size_t>(16, slots_.size() * 2));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.key != kEmpty) slots_[slotOf(slot.key)] = slot;
  }
}

void MergeTable::add(std::int32_t left, std::int32_t right, Merge merge) {
  if (size_ * 2 >= slots_.size()) grow();
  Slot& slot = slots_[slotOf(keyOf(left, right))];
  if (slot.key != kEmpty) return;
  slot = {keyOf(left, right), merge};
  ++size_;
}

MergeTable::Merge MergeTable::find(std::int32_t left, std::int32_t right) const {
  if (left < 0 || right < 0 || slots_.empty()) return {};
  return slots_[slotOf(keyOf(left, right))].merge;  // an empty slot's merge is none
}

void BpeMerger::rankPair(const std::vector<BpeSymbol>& symbols, std::uint32_t left) {
  Node& node = nodes_[left];
  node.merge =
      node.next == kNone ? MergeTable::Merge{} : table_.find(symbols[left].id, symbols[node.next].id);
}

void BpeMerger::merge(std::vector<BpeSymbol>& symbols) {
  const auto count = static_cast<std::uint32_t>(symbols.size());
  nodes_.resize(count);
  queue_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    nodes_[i].previous = i == 0 ? kNone : i - 1;
    nodes_[i].next = i + 1 == count ? kNone : i + 1;
    rankPair(symbols, i);
    if (nodes_[i].merge.rank != MergeTable::kNoRank)
      queue_.push_back(std::uint64_t{nodes_[i].merge.rank} << 32 | i);
  }
  std::make_heap(queue_.begin(), queue_.end(), std::greater<>{});

  const auto enqueue = [&](std::uint32_t left) {
    rankPair(symbols, left);
    if (nodes_[left].merge.rank == MergeTable::kNoRank) return;
    queue_.push_back(std::uint64_t{nodes_[left].merge.rank} << 32 | left);
    std::push_heap(queue_.begin(), queue_.end(), std::greater<>{});
  };
  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>{});
    const std::uint64_t best = queue_.back();
    queue_.pop_back();
    const auto left = static_cast<std::uint32_t>(best);
    if (nodes_[left].merge.rank != best >> 32) continue;  // one of the two has merged with another since

    const std::uint32_t right = nodes_[left].next;
    symbols[left].id = nodes_[left].merge.merged;
    symbols[left].bytes.end = symbols[right].bytes.end;
    nodes_[right].merge = {};
    nodes_[left].next = nodes_[right].next;
    if (nodes_[left].next != kNone) nodes_[nodes_[left].next].previous = left;
    enqueue(left);
    if (nodes_[left].previous != kNone) enqueue(nodes_[left].previous);
  }

  std::size_t kept = 0;
  for (std::uint32_t i = 0; i != kNone && i < count; i = nodes_[i].next) symbols[kept++] = symbols[i];
  symbols.resize(kept);
}

}  // namespace vitrine::core
