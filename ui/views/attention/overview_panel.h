// The overview: every head of every layer as a live thumbnail. Scrolls and zooms; labels stay at the edges.
#pragma once

#include <memory>
#include <optional>

#include "ui/views/attention/head_order.h"
#include "ui/views/attention/overview_layout.h"
#include "ui/views/panel.h"

namespace vitrine::ui::attention {

class OverviewPanel {
 public:
  // Room that the panel would like, so that all heads of a layer can be seen.
  double preferredWidth(const PanelContext& context, double available_width, double height) const;

  // Draws into `area`; returns whether a head was double-clicked (open it full size).
  bool draw(CanvasFrame& frame, const PanelContext& context, const Rect& area);

  HeadSort sort() const { return sort_; }
  void setSort(HeadSort sort);
  // Moves the selected head and scrolls to it.
  void move(Selection& selection, Direction direction);
  void scrollToSelection() { scroll_to_selection_ = true; }
  std::optional<core::OverviewRequest> request(const PanelContext& context) const;

 private:
  void layOut(const PanelContext& context, double width, double height);
  Rect tileArea(const Rect& area) const;
  void drawTiles(CanvasFrame& frame, const PanelContext& context, ImVec2 origin, double top, double bottom);
  void drawLabels(CanvasFrame& frame, const PanelContext& context, const Rect& area, const Rect& tiles,
                  ImVec2 origin);
  void drawHover(CanvasFrame& frame, const PanelContext& context, const Rect& tile, Head head,
                 const Rect& bounds);
  void scrollTo(Head head, const Rect& tiles);

  OverviewLayout layout_;
  HeadSort sort_ = HeadSort::kLayerHead;
  std::optional<double> tile_;  // chosen by zooming; empty: whatever is comfortable
  double pixel_ratio_ = 1;
  bool scroll_to_selection_ = false, scroll_to_top_ = false, was_hovered_ = false;
};

}  // namespace vitrine::ui::attention
