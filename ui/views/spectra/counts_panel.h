// How many intruders a matrix has for each k and epsilon of the grid, as a table in colours; a click takes
// that k and epsilon.
#pragma once

#include "ui/views/panel.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {

// Where the cells are; columns are k, rows epsilon.
struct CountsLayout {
  Rect cells;
  std::size_t rows = 0, columns = 0;
  Rect cell(std::size_t row, std::size_t column) const;
};
CountsLayout countsLayout(const Rect& area, const core::MatrixComparison& comparison);

// Of all rows of the table: intruders by the state's rule, and the directions they are among.
struct IntruderTotal {
  std::size_t intruders = 0, directions = 0, matrices = 0;
};
IntruderTotal intruderTotal(const SpectraState& state);

class CountsPanel {
 public:
  explicit CountsPanel(SpectraState& state) : state_(state) {}
  void draw(CanvasFrame& frame, const Rect& area, core::ColormapId colormap);

 private:
  void drawCells(CanvasFrame& frame, const CountsLayout& layout, const core::MatrixComparison& comparison,
                 core::ColormapId colormap);
  void drawLabels(CanvasFrame& frame, const Rect& area, const CountsLayout& layout,
                  const core::MatrixComparison& comparison) const;
  void drawHover(CanvasFrame& frame, const CountsLayout& layout, const core::MatrixComparison& comparison);

  SpectraState& state_;
};

}  // namespace vitrine::ui::spectra
