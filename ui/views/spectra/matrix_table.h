// The table of the Spectra view: a row a matrix, of which only the visible ones are drawn.
#pragma once

#include "ui/canvas/canvas.h"
#include "ui/views/panel.h"
#include "ui/views/spectra/spectra_state.h"
#include "ui/views/spectra/table_columns.h"

namespace vitrine::ui::spectra {

class MatrixTable {
 public:
  static constexpr double kHeader = 26, kRow = 24;

  explicit MatrixTable(SpectraState& state) : state_(state) {}

  void draw(CanvasFrame& frame, const Rect& area);
  int visibleRows() const { return visible_rows_; }

 private:
  void drawHeader(CanvasFrame& frame, const Rect& area, const std::vector<TableColumn>& columns);
  void drawRow(CanvasFrame& frame, const Rect& row, const std::vector<TableColumn>& columns,
               std::size_t matrix);
  void drawName(CanvasFrame& frame, const Rect& row, const TableColumn& column, std::size_t matrix);
  void drawSparkline(CanvasFrame& frame, const Rect& cell, const core::SpectrumReport& report, Rgba color);
  void clicked(std::size_t matrix);
  void scrollToCursor(double view_height);

  SpectraState& state_;
  std::optional<std::size_t> shown_cursor_;  // that the table has scrolled to
  std::optional<std::size_t> hovered_;
  double still_ = 0;  // seconds since the pointer came to that row
  int visible_rows_ = 1;
};

// The numbers of a matrix that the subject has.
Tooltip matrixTooltip(const SpectraState& state, std::size_t matrix, const Colors& colors);

}  // namespace vitrine::ui::spectra
