#include "ui/views/map_viewport.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::ui {
namespace {

constexpr Rect kArea{100, 50, 740, 610};  // 640 x 560

MapViewport viewportOf(std::uint32_t cells, double ratio = 1) {
  MapViewport viewport;
  viewport.setArea(kArea, ratio);
  viewport.setCells(cells);
  return viewport;
}

void settle(MapViewport& viewport) {
  for (int frame = 0; frame < 1000 && viewport.advance(0.016); ++frame) continue;
}

TEST(FittedCells, GrowsInStepsWhileLiveAndIsExactAtRest) {
  EXPECT_EQ(fittedCells(0, Growth::kLive), 0u);
  EXPECT_EQ(fittedCells(67, Growth::kAtRest), 67u);
  for (std::uint32_t tokens = 1; tokens < 5000; ++tokens) {
    const std::uint32_t cells = fittedCells(tokens, Growth::kLive);
    EXPECT_GE(cells, tokens);
    EXPECT_LE(cells, tokens + std::max(8u, tokens / 8));
    EXPECT_LE(cells, fittedCells(tokens + 1, Growth::kLive));
  }
  EXPECT_EQ(fittedCells(65, Growth::kLive), fittedCells(72, Growth::kLive));
}

TEST(MapViewport, FittedMapIsWholeSquareAndOfWholePixels) {
  for (std::uint32_t cells : {1u, 5u, 24u, 67u, 300u, 4096u}) {
    const MapViewport viewport = viewportOf(cells);
    const Rect plot = viewport.plot();
    EXPECT_NEAR(plot.width(), plot.height(), 1e-9) << cells;
    EXPECT_LE(plot.height(), kArea.height() + 1e-9);
    EXPECT_NEAR(viewport.visibleCells().width(), cells, 1e-6);
    if (viewport.cellSize() >= 8) {
      EXPECT_DOUBLE_EQ(viewport.cellSize(), std::round(viewport.cellSize())) << cells;
    }
  }
}

TEST(MapViewport, ZoomKeepsTheCellUnderThePointer) {
  MapViewport viewport = viewportOf(500);
  const Point at{420, 300};
  settle(viewport);
  const double key = viewport.keyAt(at.x), query = viewport.queryAt(at.y);
  viewport.zoomAt(at, 7.3);
  for (int frame = 0; frame < 5; ++frame) {
    viewport.advance(0.016);
    EXPECT_NEAR(viewport.keyAt(at.x), key, 1.0 / viewport.cellSize() + 1e-9);
    EXPECT_NEAR(viewport.queryAt(at.y), query, 1.0 / viewport.cellSize() + 1e-9);
  }
  settle(viewport);
  EXPECT_NEAR(viewport.keyAt(at.x), key, 1.0 / viewport.cellSize());
  EXPECT_FALSE(viewport.fitted());
}

TEST(MapViewport, ZoomStopsAtTheWholeMapAndAtTheLargestCell) {
  MapViewport viewport = viewportOf(500);
  const double whole = viewport.cellSize();
  viewport.zoomAt({400, 300}, 1e9);
  settle(viewport);
  EXPECT_DOUBLE_EQ(viewport.cellSize(), MapViewport::kLargestCell);
  viewport.zoomAt({200, 100}, 1e-9);
  settle(viewport);
  EXPECT_DOUBLE_EQ(viewport.cellSize(), whole);
  EXPECT_TRUE(viewport.fitted());
  EXPECT_EQ(viewport.visibleCells(), (Rect{0, 0, 500, 500}));
}

TEST(MapViewport, CannotBeDraggedPastItsEdges) {
  MapViewport viewport = viewportOf(500);
  viewport.zoomAt({400, 300}, 10);
  settle(viewport);
  for (double way : {1e5, -1e5}) {
    viewport.panBy(way, way);
    EXPECT_EQ(viewport.plot(), kArea);
    const Rect seen = viewport.visibleCells();
    EXPECT_GE(seen.x0, -1e-9);
    EXPECT_LE(seen.y1, 500 + 1e-9);
  }
}

TEST(MapViewport, AZoomedMapStaysWhereItIsWhenTokensArrive) {
  MapViewport viewport = viewportOf(500);
  viewport.zoomAt({400, 300}, 10);
  settle(viewport);
  const Rect before = viewport.cellRect(250, 240);
  viewport.setCells(501);
  viewport.setCells(640);
  settle(viewport);
  EXPECT_EQ(viewport.cellRect(250, 240), before);
}

TEST(MapViewport, AFittedMapStaysFitted) {
  MapViewport viewport = viewportOf(100);
  viewport.setCells(200);
  EXPECT_GT(viewport.xOf(200), viewport.area().x1);  // still moving there
  settle(viewport);
  EXPECT_EQ(viewport.visibleCells(), (Rect{0, 0, 200, 200}));
}

TEST(MapViewport, ShowCellMovesOnlyWhenNeeded) {
  MapViewport viewport = viewportOf(500);
  viewport.zoomAt({400, 300}, 20);
  settle(viewport);
  const Rect seen = viewport.visibleCells();
  const auto inside_query = std::uint32_t(seen.y0) + 2, inside_key = std::uint32_t(seen.x0) + 2;
  viewport.showCell(inside_query, inside_key);
  settle(viewport);
  EXPECT_EQ(viewport.visibleCells(), seen);
  viewport.showCell(499, 0);
  settle(viewport);
  const Rect cell = viewport.cellRect(499, 0), inside = kArea.expanded(1e-6);
  EXPECT_EQ(cell.intersected(inside), cell);
}

TEST(MapViewport, EmptyMapAndEmptyAreaAreHarmless) {
  MapViewport viewport = viewportOf(0);
  viewport.zoomAt({1, 1}, 2);
  viewport.panBy(3, 3);
  viewport.fit();
  EXPECT_FALSE(viewport.advance(1));
  EXPECT_TRUE(viewport.plot().empty());
  MapViewport no_area;
  no_area.setCells(10);
  EXPECT_TRUE(no_area.plot().empty());
}

}  // namespace
}  // namespace vitrine::ui
