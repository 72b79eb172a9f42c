// The Attention view as the canvas draws it: view bar, overview, large map, and the states in which there is
// nothing to see.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ui/canvas/canvas.h"
#include "ui/views/attention/map_panel.h"
#include "ui/views/attention/overview_panel.h"
#include "ui/views/attention/view_bar.h"
#include "ui/views/view_message.h"

namespace vitrine::ui::attention {

// Keys while the canvas has the focus: arrows move the head, or the locked cell (Shift: by ten); Ctrl +
// arrows always the head; Home, End, Page Up, Page Down move the query; Esc unlocks, then shows the overview
// again; Enter or O hides and shows the overview; F fits, + and - zoom; S sort, L linear or log, C colour
// map, P pooling. Others go on to the window.
class AttentionContent : public ViewContent {
 public:
  AttentionContent(gpu::Device& device, Selection& selection, ViewSettings& settings)
      : selection_(selection), settings_(settings), map_(device) {}

  void fit() override { viewport().fit(); }
  void zoom(double factor) override { viewport().zoomAt(viewport().plot().center(), factor); }
  void actualSize() override { viewport().setCellSize(1 / viewport().pixelRatio()); }
  MapViewport& viewport() { return map_.viewport(); }
  ViewBarState& bar() { return bar_; }

  void draw(CanvasFrame& frame) override;
  bool wantsKey(const KeyPress& press) const override;

 private:
  void handleKey(const KeyPress& press, const PanelContext& context);
  void moveCell(const KeyPress& press);
  void drawPanels(CanvasFrame& frame, const PanelContext& context, const Rect& area);
  void drawNoMap(CanvasFrame& frame, const PanelContext& context, const Rect& area);
  void drawSplitter(CanvasFrame& frame, const Rect& area, double x);
  // The message when there is nothing to draw; false when there is.
  bool drawState(CanvasFrame& frame, const PanelContext& context, const Rect& area);

  Selection& selection_;
  ViewSettings& settings_;
  MapPanel map_;
  OverviewPanel overview_;
  ViewBarState bar_;
  std::optional<double> overview_width_;  // dragged by the user; empty: what the overview prefers
};

}  // namespace vitrine::ui::attention
