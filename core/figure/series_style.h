// How a data series looks: the Okabe-Ito colours (distinguishable with colour-vision deficiency), each with a
// marker and a dash of its own so that greyscale printing loses nothing. (Okabe and Ito, "Color Universal
// Design", 2008.)
#pragma once

#include <cstddef>
#include <vector>

#include "core/figure/colormap.h"

namespace vitrine::core {

enum class Marker { kNone, kCircle, kSquare, kTriangle, kDiamond, kTriangleDown, kCross, kPlus };

struct SeriesStyle {
  Rgb8 color;
  Marker marker = Marker::kCircle;
  std::vector<double> dash;  // points on, off ..; empty: solid
};

// The style of series 0, 1, 2 ..; after seven colours they repeat with the next marker and dash.
SeriesStyle seriesStyle(std::size_t index);

}  // namespace vitrine::core
