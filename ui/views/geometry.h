// Rectangles and points of the views' layouts, in logical pixels, y downwards.
#pragma once

#include <algorithm>

namespace vitrine::ui {

struct Point {
  double x = 0, y = 0;
};

struct Rect {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;  // half open

  bool operator==(const Rect&) const = default;
  double width() const { return x1 - x0; }
  double height() const { return y1 - y0; }
  Point center() const { return {(x0 + x1) / 2, (y0 + y1) / 2}; }
  bool empty() const { return x1 <= x0 || y1 <= y0; }
  bool contains(Point p) const { return p.x >= x0 && p.x < x1 && p.y >= y0 && p.y < y1; }
  Rect expanded(double by) const { return {x0 - by, y0 - by, x1 + by, y1 + by}; }
  Rect intersected(const Rect& other) const {
    return {std::max(x0, other.x0), std::max(y0, other.y0), std::min(x1, other.x1), std::min(y1, other.y1)};
  }
  bool overlaps(const Rect& other) const { return !intersected(other).empty(); }
};

}  // namespace vitrine::ui
