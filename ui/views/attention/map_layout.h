// How the map's area is divided: labels at the left and below, marginals above and at the right, cells
// between. Pure arithmetic, no drawing.
#pragma once

#include "ui/views/geometry.h"

namespace vitrine::ui::attention {

struct MapLayout {
  Rect cells;                        // where cells may be drawn
  double query_labels = 0;           // width left of the plot
  double key_labels = 0;             // height below it
  double received = 0, entropy = 0;  // height above and width right of it; 0: no room for marginals
  static constexpr double kGap = 6;
};

// `longest_label`: logical pixels of the longest token label that is to be shown whole.
MapLayout layOutMap(const Rect& area, double longest_label);

}  // namespace vitrine::ui::attention
