// A map of directions as a heat map: wheel zooms at the pointer, dragging moves it, a double click shows all
// of it again; a cell's exact value is in its tooltip, and in the cell where that is large enough.
#pragma once

#include "ui/canvas/canvas.h"
#include "ui/view_settings.h"
#include "ui/views/map_viewport.h"
#include "ui/views/panel.h"
#include "ui/views/spectra/direction_map.h"

#include <memory>

namespace vitrine::ui::spectra {

class DirectionMapPanel {
 public:
  DirectionMapPanel(gpu::Device& device, DirectionMapKind kind) : device_(device), kind_(kind) {}

  using Compared = std::shared_ptr<const core::MatrixComparison>;
  struct Look {
    core::ColormapId colormap = core::ColormapId::kViridis;
    double epsilon = 0.5;
    std::string note;  // beside the title
  };
  // Null: nothing to show yet.
  void draw(CanvasFrame& frame, const Rect& area, const Compared& compared, const Look& look);

  DirectionMapKind kind() const { return kind_; }
  MapViewport& viewport() { return viewport_; }
  const DirectionMap& map() const { return map_; }
  bool hovered() const { return hovered_; }

 private:
  struct Cell {
    std::size_t row = 0, column = 0;
  };
  void show(const Compared& compared);
  void handleMouse(CanvasFrame& frame, const Rect& area);
  void drawPicture(CanvasFrame& frame, const Rect& plot, const Look& look);
  void drawGrid(CanvasFrame& frame, const Rect& plot) const;
  void drawNumbers(CanvasFrame& frame, const Rect& plot, const Look& look) const;
  void drawLabels(CanvasFrame& frame, const Rect& area, const Rect& plot) const;
  void drawColorBar(CanvasFrame& frame, const Rect& plot, const Look& look) const;
  void drawHover(CanvasFrame& frame, const Rect& plot, const Look& look) const;
  std::optional<Cell> cellAt(Point at) const;

  gpu::Device& device_;
  DirectionMapKind kind_;
  Compared compared_;  // that map_ is of
  DirectionMap map_;
  MapViewport viewport_;
  std::shared_ptr<const gpu::Image> picture_;
  std::size_t pool_ = 0;  // of picture_; 0: none
  bool dragging_ = false, hovered_ = false;
};

}  // namespace vitrine::ui::spectra
