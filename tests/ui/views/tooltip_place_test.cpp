#include "ui/views/tooltip_place.h"

#include <gtest/gtest.h>

namespace vitrine::ui {
namespace {

TEST(TooltipPlace, NeverHidesTheCellAndStaysInside) {
  const Rect bounds{0, 0, 800, 500};
  for (double x = 0; x < 800; x += 7.0)
    for (double y = 0; y < 500; y += 7.0) {
      const Rect cell{x, y, x + 12, y + 12};
      const Point corner = placeTooltip(cell, 180, 90, bounds);
      const Rect tip{corner.x, corner.y, corner.x + 180, corner.y + 90};
      EXPECT_FALSE(tip.overlaps(cell)) << x << ", " << y;
      EXPECT_EQ(tip.intersected(bounds), tip) << x << ", " << y;
    }
}

TEST(TooltipPlace, CoversAsLittleAsPossibleWhenThereIsNoRoom) {
  const Point corner = placeTooltip({0, 0, 100, 50}, 90, 60, {0, 0, 120, 100});
  EXPECT_GE(corner.x, 0);
  EXPECT_GE(corner.y, 0);
}

}  // namespace
}  // namespace vitrine::ui
