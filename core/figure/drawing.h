// What a laid-out figure is made of: a page in points (1/72 inch, x to the right, y downwards) and a list of
// primitives in drawing order. The canvas draws it with ImGui and the exporter with QPainter, so both show
// the same picture. Nothing needs a clip: the layout cuts everything to its axes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/figure/colormap.h"

namespace vitrine::core {

struct Point {
  double x = 0, y = 0;
};

struct Rect {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

enum class FontRole { kSans, kMono };  // interface and labels; tokens
enum class FontWeight { kRegular, kBold };

struct TextFont {
  FontRole role = FontRole::kSans;
  double size = 8;  // points
  FontWeight weight = FontWeight::kRegular;
};

struct Stroke {
  Rgb8 color;
  double width = 0.6;
  std::vector<double> dash;  // lengths on, off, on ..; empty: solid
};

struct Polyline {
  std::vector<Point> points;
  Stroke stroke;
};

struct Polygon {
  std::vector<Point> points;
  Rgb8 fill;
  double opacity = 1;
};

// Drawn with nearest-neighbour sampling: every pixel is a rectangle of one colour.
struct Raster {
  Rect box;
  std::size_t width = 0, height = 0;
  std::vector<Rgb8> pixels;  // height rows of width, top row first
};

struct Text {
  std::string utf8;
  Point origin;  // the left end of the baseline; alignment is already resolved
  TextFont font;
  double rotation = 0;  // degrees counter-clockwise about the origin
  Rgb8 color;
};

using Primitive = std::variant<Polyline, Polygon, Raster, Text>;

struct Drawing {
  double width = 0, height = 0;  // points
  std::vector<Primitive> items;
  std::vector<std::string> notes;  // what the reader must know: NaN cells, points left out on a log axis ..
};

// How large text comes out. The painter that will draw the figure supplies it (Qt's or ImGui's fonts).
struct TextExtent {
  double width = 0;       // advance, points
  double ascent = 0;      // of this font above the baseline
  double descent = 0;     // below the baseline, positive
  double cap_height = 0;  // of an upper-case letter: what looks centred is centred on half of it
};

class TextMeasure {
 public:
  virtual ~TextMeasure() = default;
  virtual TextExtent measure(std::string_view utf8, const TextFont& font) const = 0;
};

// The box that a primitive inks (text: its advance and its ascent and descent, turned with it).
Rect boundsOf(const Primitive& item, const TextMeasure& measure);

}  // namespace vitrine::core
