// What the plots of the Spectra view share: colours and markers of their series, axes, a legend.
#pragma once

#include <string>
#include <vector>

#include "core/figure/value_scale.h"
#include "ui/canvas/canvas.h"
#include "ui/views/panel.h"

namespace vitrine::ui::spectra {

// Okabe and Ito's, in the order in which they stand out from the theme's ground; numbers below 8.
Rgba seriesColor(const Theme& theme, std::size_t number);
// Circle, square, triangle, diamond, ..; `radius` in logical pixels.
void drawMarker(ImDrawList& list, std::size_t number, ImVec2 at, float radius, Rgba color);

void dashedLine(ImDrawList& list, ImVec2 from, ImVec2 to, Rgba color);
// Dashes of one length along the whole path, however short its steps are.
void dashedPath(ImDrawList& list, const std::vector<ImVec2>& path, Rgba color);

struct PlotArea {
  Rect rect;  // of the data, without labels
  core::ValueScale x, y;

  Point at(double x_value, double y_value) const;  // clamped to twice the area, for what is not finite
};

struct PlotTexts {
  std::string title, note;  // above; the note at the right, secondary
  std::string x_label, y_label;
  bool whole_x = true;  // ticks at whole numbers only
};

// The area for the data within `area`, with `legend_rows` rows above it; empty where there is no room.
Rect plotRect(const Rect& area, std::size_t legend_rows);
void drawAxes(CanvasFrame& frame, const Rect& area, const PlotArea& plot, const PlotTexts& texts);

struct LegendEntry {
  std::size_t number = 0;
  std::string text;
  bool dimmed = false;  // not computed yet
};
// Rows that the legend needs in this width.
std::size_t legendRows(CanvasFrame& frame, const Rect& area, const std::vector<LegendEntry>& entries);
// Beneath the title. Returns the entry under the pointer.
std::optional<std::size_t> drawLegend(CanvasFrame& frame, const Rect& area,
                                      const std::vector<LegendEntry>& entries);

}  // namespace vitrine::ui::spectra
