// The large map of one head: cells, token labels, marginals, crosshair, tooltip; zoom, pan, lock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ui/canvas/picture_reader.h"
#include "ui/views/attention/map_layout.h"
#include "ui/views/attention/map_plan.h"
#include "ui/views/map_viewport.h"
#include "ui/views/panel.h"

namespace vitrine::ui::attention {

class MapPanel {
 public:
  explicit MapPanel(gpu::Device& device) : reader_(device) {}

  // Draws into `area`.
  void draw(CanvasFrame& frame, const PanelContext& context, const Rect& area);

  MapViewport& viewport() { return viewport_; }
  const MapViewport& viewport() const { return viewport_; }
  std::optional<core::MapRequest> request(const PanelContext& context) const {
    return mapRequest(viewport_, context.selection.head(), context.settings.pooling());
  }
  // Brings the locked cell into view with the next frame.
  void showLocked() { show_locked_ = true; }

 private:
  void followSequence(const PanelContext& context);
  void handleMouse(CanvasFrame& frame, const PanelContext& context, const Rect& area);
  Cell cellAt(Point at, std::uint32_t tokens) const;

  void drawPictures(CanvasFrame& frame, const PanelContext& context, const Rect& plot);
  void drawPreview(CanvasFrame& frame, const PanelContext& context);
  void drawPicture(CanvasFrame& frame, const PanelContext& context, const core::MapPicture& picture,
                   float alpha);
  void drawGrid(CanvasFrame& frame, const PanelContext& context, const Rect& plot);
  void drawNumbers(CanvasFrame& frame, const PanelContext& context, const Rect& plot);
  void drawMarginals(CanvasFrame& frame, const PanelContext& context, const Rect& plot);
  void drawCrosshair(CanvasFrame& frame, const PanelContext& context, const Rect& plot);
  void drawQueryLabels(CanvasFrame& frame, const PanelContext& context, const Rect& plot);
  void drawKeyLabels(CanvasFrame& frame, const PanelContext& context, const Rect& plot);
  void drawHover(CanvasFrame& frame, const PanelContext& context);
  void drawCellTooltip(CanvasFrame& frame, const PanelContext& context, std::uint32_t query,
                       std::uint32_t key);
  void drawMarginalTooltip(CanvasFrame& frame, const PanelContext& context, const Cell& cell);
  void drawProgress(CanvasFrame& frame, const Rect& plot, double seconds);

  // The picture of this head, if the snapshot's is one.
  const core::MapPicture* currentPicture(const PanelContext& context) const;
  struct Value {
    double probability = 0;
    std::optional<double> lse;
    std::uint32_t pooled = 1;  // cells a side that the value stands for
  };
  std::optional<Value> valueAt(const PanelContext& context, std::uint32_t query, std::uint32_t key) const;

  MapViewport viewport_;
  MapLayout layout_;
  PictureReader reader_;
  std::shared_ptr<const core::MapPicture>
      whole_;  // the newest that showed the whole map: drawn below a zoomed one
  bool dragging_ = false, hovering_ = false, was_hovered_ = false, show_locked_ = false;
  double waiting_seconds_ = 0;
};

}  // namespace vitrine::ui::attention
