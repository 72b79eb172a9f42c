// A figure as plain values, without pixels, fonts or Qt: panels with axes, and in them a heat map, a grid of
// thumbnails, lines or bars. core/figure/layout.h turns it into primitives; core/figure/figure_data.h writes
// its numbers. Whoever builds a figure fills these structs; nothing here computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/figure/colormap.h"
#include "core/figure/drawing.h"
#include "core/figure/series_style.h"

namespace vitrine::core {

enum class AxisScale { kLinear, kLog };
enum class AxisGrid { kNone, kMajor };

struct Axis {
  std::string label;  // "entropy"
  std::string unit;   // "bit": drawn as "entropy (bit)"; empty for pure numbers
  AxisScale scale = AxisScale::kLinear;
  std::optional<double> minimum = {}, maximum = {};  // absent: from the data
  // Not empty: the axis names places 0, 1, 2 .. Labels that find no room are thinned, and where even every
  // third finds none, the axis numbers its places instead.
  std::vector<std::string> categories = {};
  FontRole category_font = FontRole::kMono;
  AxisGrid grid = AxisGrid::kNone;
};

// How values become colours. The diverging map always takes a range that is symmetric about zero.
struct ColorScale {
  ColormapId map = ColormapId::kViridis;
  AxisScale scale = AxisScale::kLinear;  // log: values at or below zero take the lowest colour
  std::optional<double> minimum = {}, maximum = {};
  std::string quantity;       // "attention probability"
  std::string unit;           // "bit"
  std::string normalization;  // "softmax over keys"; written on the colour bar
};

struct Marginal {
  std::string label;  // "mean received"
  std::string unit;
  std::vector<float> values;  // one a column (above the map) or one a row (at its right); NaN leaves a gap
};

enum class HeatMapRendering { kRaster, kVectorCells };
enum class CellShape { kSquare, kFree };  // free: the map takes the room that there is

inline constexpr std::size_t kMaxVectorCells = 5000;

// Row 0 is at the top. A masked cell is hatched grey whatever its value; a cell that is not finite is drawn
// as masked and counted in a note.
struct HeatMap {
  std::size_t rows = 0, columns = 0;
  std::vector<float> values;       // rows x columns
  std::vector<std::uint8_t> mask;  // 1 = masked; empty: nothing is
  ColorScale color;
  HeatMapRendering rendering = HeatMapRendering::kRaster;
  CellShape cells = CellShape::kSquare;
  std::optional<Marginal> top, right;
};

// Small maps in rows (layers) and columns (heads), all of one size and on one colour scale.
struct ThumbnailGrid {
  std::string row_label = "layer", column_label = "head";
  std::vector<std::string> row_names;  // empty: 0, 1, 2 .. (a hybrid lacks the layers without attention)
  std::size_t rows = 0, columns = 0;   // of thumbnails
  std::size_t thumbnail_rows = 0, thumbnail_columns = 0;  // of cells in each
  std::vector<float> values;       // rows x columns x thumbnail_rows x thumbnail_columns
  std::vector<std::uint8_t> mask;  // of one thumbnail for all, or of every cell; as in HeatMap
  ColorScale color;
};

struct LineSeries {
  std::string label;
  std::vector<double> x, y;                 // of equal length; a NaN breaks the line
  std::vector<double> low = {}, high = {};  // a band around y, both of y's length or both empty
  std::optional<SeriesStyle> style = {};    // absent: the next colour, marker and dash
};

struct BarSeries {
  std::string label;
  std::vector<double> values;       // one a category of the x axis
  std::vector<double> errors = {};  // half the length of an error bar; empty: none
  std::optional<SeriesStyle> style = {};
};

enum class AnnotationKind { kText, kBox, kHorizontalLine, kVerticalLine };
enum class AnnotationRole { kNeutral, kQuery, kKey };  // black, amber, green: the selection's colours

// In the coordinates of the data; on a heat map cell (row r, column c) is centred on x = c, y = r.
struct Annotation {
  AnnotationKind kind = AnnotationKind::kText;
  AnnotationRole role = AnnotationRole::kNeutral;
  Point at;          // text: its centre; box: one corner; lines: the place they pass
  Point opposite;    // box: the other corner
  std::string text;  // of a line or box: its label, beside it
};

struct Panel {
  std::string title;  // many venues want none: leave it empty and write a caption
  Axis x, y;
  std::optional<HeatMap> heat_map;  // at most one of heat_map and thumbnails
  std::optional<ThumbnailGrid> thumbnails;
  std::vector<LineSeries> lines;
  std::vector<BarSeries> bars;
  std::vector<Annotation> annotations;
};

// A named number for the TeX table and the sidecar: {"mean entropy", 1.27, "bit"}.
struct SummaryRow {
  std::string name;
  double value = 0;
  std::string unit;
};

struct Figure {
  std::string name;     // "attention-map"
  std::string caption;  // for TeX; never drawn
  std::vector<Panel> panels;
  std::size_t panel_columns = 0;  // 0: as many as the width has room for
  std::vector<SummaryRow> summary;
  std::string summary_caption;  // of the table that TeX makes of the summary
};

// "entropy (bit)"; the label alone where there is no unit.
inline std::string labelWithUnit(const std::string& label, const std::string& unit) {
  return unit.empty() ? label : label + " (" + unit + ")";
}

// "a", "b" .. "z", "aa" ..: panels in files and on the page.
inline std::string panelLetter(std::size_t panel) {
  std::string last(1, static_cast<char>('a' + panel % 26));
  return panel < 26 ? last : panelLetter(panel / 26 - 1) + last;
}

}  // namespace vitrine::core
