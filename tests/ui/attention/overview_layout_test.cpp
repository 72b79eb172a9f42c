#include "ui/views/attention/overview_layout.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::ui::attention {
namespace {

OverviewLayout gridOf(std::uint32_t layers, std::uint32_t heads, HeadSort sort = HeadSort::kLayerHead) {
  OverviewLayout layout;
  layout.set(headOrder(layers, heads, sort, {}), sort, heads, 24, 240);
  return layout;
}

TEST(OverviewLayout, OneRowALayer) {
  const OverviewLayout layout = gridOf(30, 9);
  EXPECT_EQ(layout.columns(), 9u);
  EXPECT_EQ(layout.rows(), 30u);
  const auto index = layout.indexOf({17, 5});
  ASSERT_TRUE(index);
  const Rect tile = layout.tileRect(*index);
  EXPECT_DOUBLE_EQ(tile.x0, 5 * layout.columnPitch());
  EXPECT_DOUBLE_EQ(tile.y0, 17 * layout.rowPitch());
  EXPECT_DOUBLE_EQ(layout.contentWidth(), 9 * layout.columnPitch() - layout.gap());
}

TEST(OverviewLayout, EveryTileIsHitByItsMiddle) {
  for (HeadSort sort : {HeadSort::kLayerHead, HeadSort::kEntropy}) {
    const OverviewLayout layout = gridOf(7, 13, sort);
    for (std::uint32_t index = 0; index < layout.count(); ++index)
      EXPECT_EQ(layout.hit(layout.tileRect(index).center()), index);
    EXPECT_FALSE(layout.hit({-1, 5}));
    EXPECT_FALSE(layout.hit({layout.contentWidth() + 10, 5}));
    EXPECT_FALSE(layout.hit({5, layout.contentHeight() + 40}));
  }
}

TEST(OverviewLayout, ArrowsStopAtTheEdges) {
  const OverviewLayout layout = gridOf(3, 4);
  EXPECT_EQ(layout.neighbour({0, 0}, Direction::kLeft), (Head{0, 0}));
  EXPECT_EQ(layout.neighbour({0, 0}, Direction::kUp), (Head{0, 0}));
  EXPECT_EQ(layout.neighbour({0, 0}, Direction::kRight), (Head{0, 1}));
  EXPECT_EQ(layout.neighbour({0, 3}, Direction::kRight), (Head{0, 3}));
  EXPECT_EQ(layout.neighbour({1, 3}, Direction::kDown), (Head{2, 3}));
  EXPECT_EQ(layout.neighbour({2, 3}, Direction::kDown), (Head{2, 3}));
}

TEST(OverviewLayout, OnlyVisibleRowsOfManyHeads) {
  const OverviewLayout layout = gridOf(80, 64);
  const auto range = layout.visible(10 * layout.rowPitch() + 1, 20 * layout.rowPitch());
  EXPECT_EQ(range.first, 10u * 64);
  EXPECT_EQ(range.last, 20u * 64);
  const auto all = layout.visible(-100, 1e9);
  EXPECT_EQ(all.first, 0u);
  EXPECT_EQ(all.last, 80u * 64);
}

TEST(OverviewLayout, TilesKeepTheirLimits) {
  EXPECT_GE(comfortableTile(80, 64, 300, 700), OverviewLayout::kSmallestTile);
  EXPECT_GE(comfortableTile(30, 9, 250, 700), 20);
  EXPECT_LE(9 * (comfortableTile(30, 9, 250, 700) + 4), 250);
  EXPECT_LE(thumbnailPixels(128, 2, 80, 64, 4096) * 80, 4096u);
  EXPECT_EQ(thumbnailPixels(24, 2, 30, 9, 4096), 48u);
}

TEST(HeadOrder, RanksByMetricWithUnknownOnesLast) {
  std::vector<core::HeadSummary> summaries(6);
  const float induction[] = {0.1f, 0.7f, NAN, 0.7f, 0.3f, 0.0f};
  for (int i = 0; i < 6; ++i) summaries[i].induction = induction[i];
  const auto order = headOrder(2, 3, HeadSort::kInduction, summaries);
  const std::vector<Head> expected = {{0, 1}, {1, 0}, {1, 1}, {0, 0}, {1, 2}, {0, 2}};
  EXPECT_EQ(order, expected);
  EXPECT_EQ(headOrder(2, 3, HeadSort::kInduction, {}).front(), (Head{0, 0}));
}

}  // namespace
}  // namespace vitrine::ui::attention
