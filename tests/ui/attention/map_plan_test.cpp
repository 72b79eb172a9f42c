#include "ui/views/attention/map_plan.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::ui::attention {
namespace {

MapViewport plannedViewport(std::uint32_t cells, double ratio = 1) {
  MapViewport viewport;
  viewport.setArea({80, 40, 720, 680}, ratio);
  viewport.setCells(cells);
  return viewport;
}

TEST(MapPlan, SmallMapsAreComputedWholeOneElementACell) {
  MapViewport viewport = plannedViewport(67);
  const auto request = mapRequest(viewport, {17, 5}, core::Pooling::kMax);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->layer, 17u);
  EXPECT_EQ(request->head, 5u);
  EXPECT_EQ(request->width, 67u);
  EXPECT_EQ(request->height, 67u);
  EXPECT_TRUE(isExact(*request));
  viewport.zoomAt({300, 300}, 5);
  viewport.finishAnimation();
  EXPECT_EQ(mapRequest(viewport, {17, 5}, core::Pooling::kMax), request);  // zooming costs nothing
}

TEST(MapPlan, LargeMapsAreComputedAtTheResolutionOfTheScreen) {
  for (double ratio : {1.0, 2.0}) {
    const auto request = mapRequest(plannedViewport(16384, ratio), {0, 0}, core::Pooling::kMean);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->width, 640 * ratio);
    EXPECT_EQ(request->height, 640 * ratio);
    EXPECT_EQ(request->key1, 16384);
    EXPECT_FALSE(isExact(*request));
  }
}

TEST(MapPlan, ZoomedLargeMapsCoverWhatIsSeenAndChangeRarely) {
  MapViewport viewport = plannedViewport(16384);
  viewport.zoomAt({400, 360}, 400);
  viewport.finishAnimation();
  const auto request = mapRequest(viewport, {0, 0}, core::Pooling::kMax);
  ASSERT_TRUE(request);
  EXPECT_TRUE(isExact(*request));
  EXPECT_LT(request->width, 640u);
  const Rect seen = viewport.visibleCells();
  EXPECT_LE(request->key0, seen.x0);
  EXPECT_GE(request->key1, seen.x1);
  EXPECT_LE(request->query0, seen.y0);
  EXPECT_GE(request->query1, seen.y1);
  int changes = 0;
  auto last = request;
  for (int step = 0; step < 100; ++step) {
    viewport.panBy(2, 2);
    const auto next = mapRequest(viewport, {0, 0}, core::Pooling::kMax);
    changes += next != last;
    last = next;
  }
  EXPECT_LE(changes, 10);
}

TEST(MapPlan, KnowsWhichPictureAnswersARequest) {
  const core::MapRequest live{.layer = 1,
                              .head = 2,
                              .query0 = 0,
                              .query1 = 72,
                              .key0 = 0,
                              .key1 = 72,
                              .width = 72,
                              .height = 72,
                              .pooling = core::Pooling::kMax};
  core::MapRequest clipped = live;  // as the engine answers with 67 tokens
  clipped.query1 = clipped.key1 = clipped.width = clipped.height = 67;
  EXPECT_TRUE(answers(clipped, 67, live));
  EXPECT_FALSE(answers(clipped, 68, live));
  core::MapRequest other = clipped;
  other.head = 3;
  EXPECT_FALSE(answers(other, 67, live));
  core::MapRequest pooled = live;
  pooled.key1 = pooled.query1 = 16384;
  pooled.width = pooled.height = 640;
  EXPECT_TRUE(answers(pooled, 16384, pooled));
  core::MapRequest mean = pooled;
  mean.pooling = core::Pooling::kMean;
  EXPECT_FALSE(answers(pooled, 16384, mean));
  core::MapRequest finer = pooled;
  finer.width = finer.height = 1280;
  EXPECT_FALSE(answers(pooled, 16384, finer));
  core::MapRequest part = pooled;  // zoomed in: what is shown is too coarse
  part.key1 = part.query1 = 8192;
  EXPECT_FALSE(answers(pooled, 16384, part));
}

TEST(MapPlan, NothingSeenNothingAsked) {
  EXPECT_FALSE(mapRequest(plannedViewport(0), {0, 0}, core::Pooling::kMax));
  EXPECT_FALSE(mapRequest(MapViewport(), {0, 0}, core::Pooling::kMax));
}

}  // namespace
}  // namespace vitrine::ui::attention
