#include "core/figure/drawing_builder.h"

#include <unicode/brkiter.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

namespace vitrine::core {
namespace {

Rect boundsOfPoints(const std::vector<Point>& points, double grow) {
  if (points.empty()) return {};
  double left = points[0].x, right = left, top = points[0].y, bottom = top;
  for (const Point& p : points) {
    left = std::min(left, p.x), right = std::max(right, p.x);
    top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
  return {left - grow, top - grow, right - left + 2 * grow, bottom - top + 2 * grow};
}

Rect boundsOfText(const Text& text, const TextMeasure& measure) {
  TextExtent extent = measure.measure(text.utf8, text.font);
  double angle = text.rotation * std::numbers::pi / 180, c = std::cos(angle), s = std::sin(angle);
  std::vector<Point> corners;
  for (double u : {0.0, extent.width})
    for (double v : {-extent.ascent, extent.descent})
      corners.push_back({text.origin.x + u * c + v * s, text.origin.y - u * s + v * c});
  return boundsOfPoints(corners, 0);
}

// How far the baseline lies below (horizontal text) or right of (vertical text) the aligned place.
double baselineOffset(const TextExtent& extent, VerticalAlign align) {
  switch (align) {
    case VerticalAlign::kTop:
      return extent.ascent;
    case VerticalAlign::kMiddle:
      return extent.cap_height / 2;
    case VerticalAlign::kBaseline:
      return 0;
    case VerticalAlign::kBottom:
      return -extent.descent;
  }
  VITRINE_ASSERT(!"unknown alignment");
}

double along(double width, HorizontalAlign align) {
  switch (align) {
    case HorizontalAlign::kLeft:
      return 0;
    case HorizontalAlign::kCenter:
      return width / 2;
    case HorizontalAlign::kRight:
      return width;
  }
  VITRINE_ASSERT(!"unknown alignment");
}

std::string toUtf8(const icu::UnicodeString& text) {
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

// The places where a grapheme cluster begins, and the end.
std::vector<std::int32_t> clusterEdges(const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> iterator(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  std::vector<std::int32_t> edges;
  if (U_FAILURE(status)) {  // ICU without its data: code units are better than nothing
    for (std::int32_t i = 0; i <= text.length(); ++i) edges.push_back(i);
    return edges;
  }
  iterator->setText(text);
  for (std::int32_t at = iterator->first(); at != icu::BreakIterator::DONE; at = iterator->next())
    edges.push_back(at);
  return edges;
}

}  // namespace

Rect boundsOf(const Primitive& item, const TextMeasure& measure) {
  if (const auto* line = std::get_if<Polyline>(&item))
    return boundsOfPoints(line->points, line->stroke.width / 2);
  if (const auto* polygon = std::get_if<Polygon>(&item)) return boundsOfPoints(polygon->points, 0);
  if (const auto* raster = std::get_if<Raster>(&item)) return raster->box;
  return boundsOfText(std::get<Text>(item), measure);
}

Rect unite(const Rect& a, const Rect& b) {
  double left = std::min(a.x, b.x), top = std::min(a.y, b.y);
  return {left, top, std::max(a.right(), b.right()) - left, std::max(a.bottom(), b.bottom()) - top};
}

void translate(Primitive& item, double dx, double dy) {
  auto move = [&](Point& p) { p.x += dx, p.y += dy; };
  if (auto* line = std::get_if<Polyline>(&item))
    std::for_each(line->points.begin(), line->points.end(), move);
  if (auto* polygon = std::get_if<Polygon>(&item))
    std::for_each(polygon->points.begin(), polygon->points.end(), move);
  if (auto* raster = std::get_if<Raster>(&item)) raster->box.x += dx, raster->box.y += dy;
  if (auto* text = std::get_if<Text>(&item)) move(text->origin);
}

void DrawingBuilder::add(Primitive item) {
  Rect box = boundsOf(item, measure_);
  bounds_ = items_.empty() ? box : unite(bounds_, box);
  items_.push_back(std::move(item));
}

void DrawingBuilder::line(Point from, Point to, Stroke stroke) {
  polyline({from, to}, std::move(stroke));
}

void DrawingBuilder::polyline(std::vector<Point> points, Stroke stroke) {
  if (points.size() >= 2) add(Polyline{std::move(points), std::move(stroke)});
}

void DrawingBuilder::polygon(std::vector<Point> points, Rgb8 fill, double opacity) {
  if (points.size() >= 3) add(Polygon{std::move(points), fill, opacity});
}

void DrawingBuilder::rectangle(const Rect& box, Rgb8 fill, double opacity) {
  polygon({{box.x, box.y}, {box.right(), box.y}, {box.right(), box.bottom()}, {box.x, box.bottom()}}, fill,
          opacity);
}

void DrawingBuilder::frame(const Rect& box, Stroke stroke) {
  polyline({{box.x, box.y},
            {box.right(), box.y},
            {box.right(), box.bottom()},
            {box.x, box.bottom()},
            {box.x, box.y}},
           std::move(stroke));
}

void DrawingBuilder::raster(Raster raster) {
  add(std::move(raster));
}

void DrawingBuilder::text(std::string_view utf8, Point at, TextFont font, Rgb8 color,
                          HorizontalAlign horizontal, VerticalAlign vertical) {
  if (utf8.empty()) return;
  TextExtent extent = measure_.measure(utf8, font);
  Point origin = {at.x - along(extent.width, horizontal), at.y + baselineOffset(extent, vertical)};
  add(Text{std::string(utf8), origin, font, 0, color});
}

void DrawingBuilder::verticalText(std::string_view utf8, Point at, TextFont font, Rgb8 color,
                                  HorizontalAlign horizontal, VerticalAlign vertical) {
  if (utf8.empty()) return;
  TextExtent extent = measure_.measure(utf8, font);
  // Turned, the ascent points left and the text runs upwards.
  double across = horizontal == HorizontalAlign::kLeft    ? extent.ascent
                  : horizontal == HorizontalAlign::kRight ? -extent.descent
                                                          : extent.cap_height / 2;
  double down = vertical == VerticalAlign::kTop      ? extent.width
                : vertical == VerticalAlign::kMiddle ? extent.width / 2
                                                     : 0;
  add(Text{std::string(utf8), {at.x + across, at.y + down}, font, 90, color});
}

std::string elideMiddle(std::string_view utf8, const TextFont& font, double width,
                        const TextMeasure& measure) {
  if (measure.measure(utf8, font).width <= width) return std::string(utf8);
  icu::UnicodeString text =
      icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
  std::vector<std::int32_t> edges = clusterEdges(text);
  std::size_t clusters = edges.size() - 1;
  for (std::size_t keep = clusters > 0 ? clusters - 1 : 0; keep >= 1; --keep) {
    std::size_t front = (keep + 1) / 2, back = keep - front;
    icu::UnicodeString shorter = text.tempSubString(0, edges[front]);
    shorter.append(static_cast<UChar>(0x2026)).append(text.tempSubString(edges[clusters - back]));
    std::string candidate = toUtf8(shorter);
    if (measure.measure(candidate, font).width <= width) return candidate;
  }
  return "…";
}

std::vector<std::string> wrapText(std::string_view utf8, const TextFont& font, double width,
                                  const TextMeasure& measure) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < utf8.size()) {
    std::size_t end = std::min(utf8.find(' ', at), utf8.size());
    std::string word(utf8.substr(at, end - at));
    at = end + 1;
    if (word.empty()) continue;
    if (!lines.empty() && measure.measure(lines.back() + " " + word, font).width <= width)
      lines.back() += " " + word;
    else
      lines.push_back(std::move(word));
  }
  return lines;
}

}  // namespace vitrine::core
