// Which part of the map is seen, and how large: the transform between cells (query downwards, key to the
// right) and logical pixels. Cells are square. A map smaller than its area stands at the top, in the middle;
// a larger one cannot be dragged past its edges. The smallest zoom shows the whole map. Pure arithmetic, no
// drawing.
#pragma once

#include <cstdint>

#include "ui/views/geometry.h"

namespace vitrine::ui {

// The number of cells that a fitted map makes room for. While tokens arrive it grows in steps of an eighth,
// so that the picture grows at its edge and is rescaled rarely; at rest it is the length of the sequence.
enum class Growth { kAtRest, kLive };
std::uint32_t fittedCells(std::uint32_t tokens, Growth growth);

class MapViewport {
 public:
  static constexpr double kLargestCell = 120;  // logical pixels a cell

  // Where cells may be drawn. `pixel_ratio`: device pixels per logical pixel.
  void setArea(const Rect& area, double pixel_ratio);
  // The map's side in cells. A fitted view follows it; another keeps its zoom and place.
  void setCells(std::uint32_t cells);

  void fit();
  void zoomAt(Point at, double factor);  // the cell under `at` stays there as far as the edges allow
  void setCellSize(double pixels);       // about the middle of what is seen
  void panBy(double dx, double dy);      // the picture follows the pointer
  void showCell(std::uint32_t query, std::uint32_t key);  // the least movement that brings it into view
  // Moves the drawn zoom towards the wanted one (a short ease, so that a rescaled map is seen to be the same
  // map). Returns whether it still moves.
  bool advance(double seconds);
  void finishAnimation();

  bool fitted() const { return fitted_; }
  std::uint32_t cells() const { return cells_; }
  double cellSize() const { return shown_.size; }  // logical pixels
  double pixelRatio() const { return pixel_ratio_; }
  const Rect& area() const { return area_; }

  double xOf(double key) const { return shown_.left + key * shown_.size; }
  double yOf(double query) const { return shown_.top + query * shown_.size; }
  double keyAt(double x) const { return (x - shown_.left) / shown_.size; }
  double queryAt(double y) const { return (y - shown_.top) / shown_.size; }
  Rect plot() const;          // the part of the area that the map covers
  Rect visibleCells() const;  // that part in cells: x is key, y is query, fractional
  Rect cellRect(std::uint32_t query, std::uint32_t key) const;

 private:
  struct State {
    double size = 1;           // of a cell
    double left = 0, top = 0;  // of cell (0, 0), logical pixels
  };
  double fitSize() const;
  State fittedState() const;
  State clamped(State state) const;

  Rect area_;
  double pixel_ratio_ = 1;
  std::uint32_t cells_ = 0;
  bool fitted_ = true;
  State wanted_, shown_;
  bool placed_ = false;  // the first placement is not animated
};

}  // namespace vitrine::ui
