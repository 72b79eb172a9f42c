#include "core/text/bpe.h"

#include <gtest/gtest.h>

#include <random>

namespace vitrine::core {
namespace {

std::vector<BpeSymbol> symbolsOf(const std::vector<std::int32_t>& ids) {
  std::vector<BpeSymbol> symbols;
  for (std::uint32_t i = 0; i < ids.size(); ++i) symbols.push_back({ids[i], {i, i + 1}});
  return symbols;
}

std::vector<std::int32_t> idsOf(const std::vector<BpeSymbol>& symbols) {
  std::vector<std::int32_t> ids;
  for (const BpeSymbol& symbol : symbols) ids.push_back(symbol.id);
  return ids;
}

// The definition, step by step.
std::vector<std::int32_t> mergeByDefinition(std::vector<std::int32_t> ids, const MergeTable& table) {
  while (true) {
    std::size_t best = ids.size();
    MergeTable::Merge merge;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const MergeTable::Merge found = table.find(ids[i], ids[i + 1]);
      if (found.rank < merge.rank) best = i, merge = found;
    }
    if (best == ids.size()) return ids;
    ids[best] = merge.merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(Bpe, MergesTheLowestRankAndTheLeftmostFirst) {
  MergeTable table;
  table.add(1, 1, {0, 2});
  table.add(2, 1, {1, 3});
  std::vector<BpeSymbol> symbols = symbolsOf({1, 1, 1, 0, 1, 1});
  BpeMerger(table).merge(symbols);
  EXPECT_EQ(idsOf(symbols), (std::vector<std::int32_t>{3, 0, 2}));
  EXPECT_EQ(symbols[0].bytes, (ByteRange{0, 3}));
  EXPECT_EQ(symbols[2].bytes, (ByteRange{4, 6}));
}

TEST(Bpe, LeavesWhatHasNoMerge) {
  const MergeTable empty;
  std::vector<BpeSymbol> none;
  BpeMerger(empty).merge(none);
  EXPECT_TRUE(none.empty());
  std::vector<BpeSymbol> symbols = symbolsOf({-1, 5, -1});
  BpeMerger(empty).merge(symbols);
  EXPECT_EQ(idsOf(symbols), (std::vector<std::int32_t>{-1, 5, -1}));
}

TEST(Bpe, EqualsTheDefinitionOnRandomTables) {
  std::mt19937 random(7);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  for (int round = 0; round < 2000; ++round) {
    MergeTable table;
    const int symbols = pick(1, 12);
    const bool shared_ranks = pick(0, 1) == 1;
    for (int n = pick(0, 40); n > 0; --n) {
      const auto rank = static_cast<std::uint32_t>(shared_ranks ? pick(0, 4) : 100 - n);
      table.add(pick(0, symbols), pick(0, symbols), {rank, pick(0, symbols)});
    }
    std::vector<std::int32_t> ids;
    for (int n = pick(0, 30); n > 0; --n) ids.push_back(pick(-1, symbols));
    std::vector<BpeSymbol> merged = symbolsOf(ids);
    BpeMerger(table).merge(merged);
    ASSERT_EQ(idsOf(merged), mergeByDefinition(ids, table)) << "round " << round;
    std::uint32_t at = 0;
    for (const BpeSymbol& symbol : merged) {
      ASSERT_EQ(symbol.bytes.begin, at);
      at = symbol.bytes.end;
    }
    ASSERT_EQ(at, ids.size());
  }
}

TEST(MergeTable, KeepsTheFirstOfTwoMergesAndFindsAllThroughGrowth) {
  MergeTable table;
  for (std::int32_t i = 0; i < 5000; ++i) table.add(i, i * 7 % 5000, {static_cast<std::uint32_t>(i), i + 1});
  table.add(3, 21, {99, 99});
  EXPECT_EQ(table.size(), 5000u);
  for (std::int32_t i = 0; i < 5000; ++i) {
    ASSERT_EQ(table.find(i, i * 7 % 5000).rank, static_cast<std::uint32_t>(i));
    ASSERT_EQ(table.find(i, (i * 7 + 1) % 5000).rank, MergeTable::kNoRank);
  }
  EXPECT_EQ(table.find(-1, -1).rank, MergeTable::kNoRank);
}

}  // namespace
}  // namespace vitrine::core
