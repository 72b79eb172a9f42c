#include "core/figure/clip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace vitrine::core {
namespace {

bool isFinite(Point p) {
  return std::isfinite(p.x) && std::isfinite(p.y);
}

// Liang and Barsky, "A New Concept and Method for Line Clipping", 1984: the part of a segment inside the box.
std::optional<std::pair<Point, Point>> clipSegment(Point a, Point b, const Rect& box) {
  double dx = b.x - a.x, dy = b.y - a.y, enter = 0, leave = 1;
  const std::array<std::pair<double, double>, 4> edges = {
      {{-dx, a.x - box.x}, {dx, box.right() - a.x}, {-dy, a.y - box.y}, {dy, box.bottom() - a.y}}};
  for (auto [direction, distance] : edges) {
    if (direction == 0) {
      if (distance < 0) return std::nullopt;
      continue;
    }
    double t = distance / direction;
    if (direction < 0)
      enter = std::max(enter, t);
    else
      leave = std::min(leave, t);
  }
  if (enter > leave) return std::nullopt;
  return std::pair{Point{a.x + enter * dx, a.y + enter * dy}, Point{a.x + leave * dx, a.y + leave * dy}};
}

bool same(Point a, Point b) {
  return a.x == b.x && a.y == b.y;
}

}  // namespace

bool contains(const Rect& box, Point point) {
  return point.x >= box.x && point.x <= box.right() && point.y >= box.y && point.y <= box.bottom();
}

std::vector<std::vector<Point>> clipPolyline(const std::vector<Point>& points, const Rect& box) {
  std::vector<std::vector<Point>> pieces;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    if (!isFinite(points[i]) || !isFinite(points[i + 1])) continue;
    auto segment = clipSegment(points[i], points[i + 1], box);
    if (!segment) continue;
    if (pieces.empty() || !same(pieces.back().back(), segment->first)) pieces.push_back({segment->first});
    pieces.back().push_back(segment->second);
  }
  return pieces;
}

std::vector<Point> clipPolygon(std::vector<Point> points, const Rect& box) {
  // Sutherland and Hodgman, "Reentrant Polygon Clipping", 1974: one side of the box after the other.
  auto against = [&points](auto inside, auto crossing) {
    std::vector<Point> kept;
    for (std::size_t i = 0; i < points.size(); ++i) {
      Point from = points[i], to = points[(i + 1) % points.size()];
      if (inside(from)) kept.push_back(from);
      if (inside(from) != inside(to)) kept.push_back(crossing(from, to));
    }
    points = std::move(kept);
  };
  auto atX = [](double x) {
    return [x](Point a, Point b) { return Point{x, a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x)}; };
  };
  auto atY = [](double y) {
    return [y](Point a, Point b) { return Point{a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y), y}; };
  };
  std::erase_if(points, [](Point p) { return !isFinite(p); });
  against([&](Point p) { return p.x >= box.x; }, atX(box.x));
  against([&](Point p) { return p.x <= box.right(); }, atX(box.right()));
  against([&](Point p) { return p.y >= box.y; }, atY(box.y));
  against([&](Point p) { return p.y <= box.bottom(); }, atY(box.bottom()));
  return points;
}

}  // namespace vitrine::core
