#include "ui/views/attention/map_layout.h"

#include <algorithm>

namespace vitrine::ui::attention {

MapLayout layOutMap(const Rect& area, double longest_label) {
  constexpr double kMargin = 12, kMarginal = 36, kRoomForMarginals = 260, kLeastLabel = 40, kMostLabel = 130;
  MapLayout layout;
  // Labels never take more than a fifth of the area.
  const double label = std::clamp(longest_label, kLeastLabel, kMostLabel);
  layout.query_labels = std::min(label, area.width() / 5);
  layout.key_labels = std::min(label, area.height() / 5);
  if (std::min(area.width(), area.height()) >= kRoomForMarginals)
    layout.received = layout.entropy = kMarginal;
  const auto beside = [](double extent) { return extent > 0 ? extent + MapLayout::kGap : 0; };
  layout.cells = {area.x0 + kMargin + beside(layout.query_labels),
                  area.y0 + kMargin + beside(layout.received), area.x1 - kMargin - beside(layout.entropy),
                  area.y1 - kMargin - beside(layout.key_labels)};
  return layout;
}

}  // namespace vitrine::ui::attention
