// Cuts lines and polygons to a box, so that no painter needs a clip. Non-finite points break a line.
#pragma once

#include <vector>

#include "core/figure/drawing.h"

namespace vitrine::core {

bool contains(const Rect& box, Point point);
std::vector<std::vector<Point>> clipPolyline(const std::vector<Point>& points, const Rect& box);
std::vector<Point> clipPolygon(std::vector<Point> points, const Rect& box);

}  // namespace vitrine::core
