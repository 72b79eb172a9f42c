// Collects primitives around a plot area and knows how far they reach: the margins of a panel are what its
// labels really take, so nothing is ever cut off.
#pragma once

#include <string_view>
#include <vector>

#include "core/figure/drawing.h"

namespace vitrine::core {

enum class HorizontalAlign { kLeft, kCenter, kRight };
enum class VerticalAlign { kTop, kMiddle, kBaseline, kBottom };  // middle: of the capital letters

class DrawingBuilder {
 public:
  explicit DrawingBuilder(const TextMeasure& measure) : measure_(measure) {}

  const TextMeasure& measure() const { return measure_; }

  void line(Point from, Point to, Stroke stroke);
  void polyline(std::vector<Point> points, Stroke stroke);
  void rectangle(const Rect& box, Rgb8 fill, double opacity = 1);
  void frame(const Rect& box, Stroke stroke);
  void polygon(std::vector<Point> points, Rgb8 fill, double opacity = 1);
  void raster(Raster raster);

  // Text whose box, after turning by 0 or 90 degrees counter-clockwise, is aligned to `at` as the reader sees
  // it: horizontal is along the page's x in both cases.
  void text(std::string_view utf8, Point at, TextFont font, Rgb8 color, HorizontalAlign horizontal,
            VerticalAlign vertical);
  void verticalText(std::string_view utf8, Point at, TextFont font, Rgb8 color, HorizontalAlign horizontal,
                    VerticalAlign vertical);

  const Rect& bounds() const { return bounds_; }
  std::vector<Primitive> take() { return std::move(items_); }

 private:
  void add(Primitive item);

  const TextMeasure& measure_;
  std::vector<Primitive> items_;
  Rect bounds_;
};

void translate(Primitive& item, double dx, double dy);
Rect unite(const Rect& a, const Rect& b);

// The text with its middle replaced by "…" until it is at most `width` points wide. Cuts between grapheme
// clusters.
std::string elideMiddle(std::string_view utf8, const TextFont& font, double width,
                        const TextMeasure& measure);

// Breaks at spaces into lines of at most `width` points; a longer word stays whole.
std::vector<std::string> wrapText(std::string_view utf8, const TextFont& font, double width,
                                  const TextMeasure& measure);

}  // namespace vitrine::core
