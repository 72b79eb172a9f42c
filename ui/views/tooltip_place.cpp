#include "ui/views/tooltip_place.h"

#include <algorithm>
#include <limits>

namespace vitrine::ui {

Point placeTooltip(const Rect& target, double width, double height, const Rect& bounds) {
  constexpr double kDistance = 14;
  const double right = target.x1 + kDistance, left = target.x0 - kDistance - width;
  const double below = target.y1 + kDistance, above = target.y0 - kDistance - height;
  const Point candidates[] = {{right, below}, {right, above}, {left, below}, {left, above}};
  Point best;
  double best_covered = std::numeric_limits<double>::infinity();
  for (Point corner : candidates) {
    corner.x = std::max(bounds.x0, std::min(corner.x, bounds.x1 - width));
    corner.y = std::max(bounds.y0, std::min(corner.y, bounds.y1 - height));
    const Rect tip{corner.x, corner.y, corner.x + width, corner.y + height};
    const Rect hidden = tip.intersected(target);
    const double covered = hidden.empty() ? 0 : hidden.width() * hidden.height();
    if (covered < best_covered) {
      best_covered = covered;
      best = corner;
    }
  }
  return best;
}

}  // namespace vitrine::ui
