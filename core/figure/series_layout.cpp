#include "core/figure/series_layout.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/figure/clip.h"
#include "core/figure/ink.h"

namespace vitrine::core {
namespace {

constexpr double kMarkerRadius = 2;
constexpr std::size_t kMostMarkers = 12;            // on a line with more points every n-th has one
constexpr double kLineSample = 18, kBarSample = 6;  // of a legend entry
constexpr double kBandOpacity = 0.2;

std::vector<Point> regularPolygon(Point center, double radius, int corners, double start_degrees) {
  std::vector<Point> points;
  for (int i = 0; i < corners; ++i) {
    double angle = (start_degrees + 360.0 * i / corners) * std::numbers::pi / 180;
    points.push_back({center.x + radius * std::cos(angle), center.y - radius * std::sin(angle)});
  }
  return points;
}

void layoutMarker(DrawingBuilder& out, Point at, const SeriesStyle& style) {
  double r = kMarkerRadius;
  Stroke stroke = {style.color, ink::kSeriesWidth, {}};
  switch (style.marker) {
    case Marker::kNone:
      return;
    case Marker::kCircle:
      return out.polygon(regularPolygon(at, r, 24, 0), style.color);
    case Marker::kSquare:
      return out.polygon(regularPolygon(at, r * 1.25, 4, 45), style.color);
    case Marker::kTriangle:
      return out.polygon(regularPolygon(at, r * 1.3, 3, 90), style.color);
    case Marker::kDiamond:
      return out.polygon(regularPolygon(at, r * 1.3, 4, 0), style.color);
    case Marker::kTriangleDown:
      return out.polygon(regularPolygon(at, r * 1.3, 3, -90), style.color);
    case Marker::kCross:
      out.line({at.x - r, at.y - r}, {at.x + r, at.y + r}, stroke);
      return out.line({at.x - r, at.y + r}, {at.x + r, at.y - r}, stroke);
    case Marker::kPlus:
      out.line({at.x - r, at.y}, {at.x + r, at.y}, stroke);
      return out.line({at.x, at.y - r}, {at.x, at.y + r}, stroke);
  }
}

Point toPage(const PlotArea& area, double x, double y) {
  return {area.x.at(x), area.y.at(y)};
}

bool showable(double value, AxisScale scale) {
  return std::isfinite(value) && (scale == AxisScale::kLinear || value > 0);
}

SeriesStyle styleOf(const std::optional<SeriesStyle>& style, std::size_t index) {
  return style ? *style : seriesStyle(index);
}

void layoutBand(DrawingBuilder& out, const LineSeries& series, const PlotArea& area, Rgb8 color) {
  std::vector<Point> outline;
  for (std::size_t i = 0; i < series.low.size(); ++i)
    outline.push_back(toPage(area, series.x[i], series.high[i]));
  for (std::size_t i = series.low.size(); i-- > 0;)
    outline.push_back(toPage(area, series.x[i], series.low[i]));
  out.polygon(clipPolygon(std::move(outline), area.box), color, kBandOpacity);
}

void layoutErrorBar(DrawingBuilder& out, const PlotArea& area, double x, double low, double high,
                    double cap) {
  Stroke stroke = {ink::kText, ink::kAxisWidth, {}};
  double top = std::clamp(area.y.at(high), area.box.y, area.box.bottom());
  double bottom = std::clamp(area.y.at(low), area.box.y, area.box.bottom());
  out.line({x, bottom}, {x, top}, stroke);
  out.line({x - cap, bottom}, {x + cap, bottom}, stroke);
  out.line({x - cap, top}, {x + cap, top}, stroke);
}

Rgb8 colorOf(AnnotationRole role) {
  switch (role) {
    case AnnotationRole::kNeutral:
      return ink::kText;
    case AnnotationRole::kQuery:
      return ink::kQuery;
    case AnnotationRole::kKey:
      return ink::kKey;
  }
  VITRINE_ASSERT(!"unknown role");
}

struct LegendEntry {
  std::string label;
  SeriesStyle style;
  enum class Kind { kLine, kBar } kind;
};

std::vector<LegendEntry> legendEntries(const Panel& panel) {
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < panel.lines.size(); ++i)
    entries.push_back({panel.lines[i].label, styleOf(panel.lines[i].style, i), LegendEntry::Kind::kLine});
  for (std::size_t i = 0; i < panel.bars.size(); ++i)
    entries.push_back(
        {panel.bars[i].label, styleOf(panel.bars[i].style, panel.lines.size() + i), LegendEntry::Kind::kBar});
  return entries;
}

double sampleWidth(const LegendEntry& entry) {
  return entry.kind == LegendEntry::Kind::kBar ? kBarSample : kLineSample;
}

void layoutSample(DrawingBuilder& out, const LegendEntry& entry, Point left) {
  if (entry.kind == LegendEntry::Kind::kBar) {
    out.rectangle({left.x, left.y - kBarSample / 2, kBarSample, kBarSample}, entry.style.color);
    return;
  }
  out.line(left, {left.x + kLineSample, left.y}, {entry.style.color, ink::kSeriesWidth, entry.style.dash});
  layoutMarker(out, {left.x + kLineSample / 2, left.y}, entry.style);
}

}  // namespace

void DataRange::include(double value, AxisScale scale) {
  if (!showable(value, scale)) return;
  if (low > high) low = high = value;
  low = std::min(low, value), high = std::max(high, value);
}

std::size_t categoryCount(const Panel& panel) {
  std::size_t count = panel.x.categories.size();
  for (const BarSeries& series : panel.bars) count = std::max(count, series.values.size());
  return count;
}

DataRange horizontalRange(const Panel& panel) {
  DataRange range;
  for (const LineSeries& series : panel.lines)
    for (double x : series.x) range.include(x, panel.x.scale);
  return range;
}

DataRange verticalRange(const Panel& panel) {
  DataRange range;
  for (const LineSeries& series : panel.lines)
    for (const std::vector<double>* values : {&series.y, &series.low, &series.high})
      for (double y : *values) range.include(y, panel.y.scale);
  for (const BarSeries& series : panel.bars)
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      double error = series.errors.empty() ? 0 : series.errors[i];
      range.include(series.values[i] - error, panel.y.scale);
      range.include(series.values[i] + error, panel.y.scale);
      range.include(series.values[i], panel.y.scale);
    }
  return range;
}

std::size_t pointsLeftOut(const Panel& panel) {
  std::size_t count = 0;
  for (const LineSeries& series : panel.lines)
    for (std::size_t i = 0; i < series.x.size(); ++i)
      count += (panel.x.scale == AxisScale::kLog && series.x[i] <= 0) ||
               (panel.y.scale == AxisScale::kLog && series.y[i] <= 0);
  for (const BarSeries& series : panel.bars)
    for (double value : series.values) count += panel.y.scale == AxisScale::kLog && value <= 0;
  return count;
}

void layoutLines(DrawingBuilder& out, const Panel& panel, const PlotArea& area) {
  for (std::size_t s = 0; s < panel.lines.size(); ++s) {
    const LineSeries& series = panel.lines[s];
    SeriesStyle style = styleOf(series.style, s);
    if (!series.low.empty()) layoutBand(out, series, area, style.color);
    std::vector<Point> points;
    for (std::size_t i = 0; i < series.x.size(); ++i)
      points.push_back(toPage(area, series.x[i], series.y[i]));
    for (std::vector<Point>& piece : clipPolyline(points, area.box))
      out.polyline(std::move(piece), {style.color, ink::kSeriesWidth, style.dash});
    std::size_t stride = std::max<std::size_t>(1, (points.size() + kMostMarkers - 1) / kMostMarkers);
    for (std::size_t i = 0; i < points.size(); i += stride)
      if (contains(area.box, points[i])) layoutMarker(out, points[i], style);
  }
}

void layoutBars(DrawingBuilder& out, const Panel& panel, const PlotArea& area) {
  std::size_t categories = categoryCount(panel);
  if (panel.bars.empty() || categories == 0) return;
  double pitch = area.box.width / static_cast<double>(categories);
  double group = pitch > 3 ? pitch * 0.8 : pitch, width = group / static_cast<double>(panel.bars.size());
  double base = std::clamp(area.y.scale.kind == AxisScale::kLog ? area.box.bottom() : area.y.at(0),
                           area.box.y, area.box.bottom());
  for (std::size_t s = 0; s < panel.bars.size(); ++s) {
    const BarSeries& series = panel.bars[s];
    SeriesStyle style = styleOf(series.style, panel.lines.size() + s);
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      if (!showable(series.values[i], area.y.scale.kind)) continue;
      double left = area.x.at(static_cast<double>(i)) - group / 2 + width * static_cast<double>(s);
      double end = std::clamp(area.y.at(series.values[i]), area.box.y, area.box.bottom());
      out.rectangle({left, std::min(base, end), width, std::abs(base - end)}, style.color);
      if (!series.errors.empty() && series.errors[i] > 0)
        layoutErrorBar(out, area, left + width / 2, series.values[i] - series.errors[i],
                       series.values[i] + series.errors[i], std::min(2.5, width / 4));
    }
  }
}

void layoutAnnotations(DrawingBuilder& out, const Panel& panel, const PlotArea& area,
                       const LayoutContext& context) {
  TextFont font = {FontRole::kSans, context.preset.tick_pt};
  for (const Annotation& note : panel.annotations) {
    Rgb8 color = colorOf(note.role);
    Stroke stroke = {color, 0.9, {}};
    Point at = toPage(area, note.at.x, note.at.y);
    switch (note.kind) {
      case AnnotationKind::kText:
        if (contains(area.box, at))
          out.text(note.text, at, font, color, HorizontalAlign::kCenter, VerticalAlign::kMiddle);
        break;
      case AnnotationKind::kBox: {
        Point to = toPage(area, note.opposite.x, note.opposite.y);
        std::vector<Point> corners = {at, {to.x, at.y}, to, {at.x, to.y}, at};
        for (std::vector<Point>& piece : clipPolyline(corners, area.box))
          out.polyline(std::move(piece), stroke);
        Point label = {std::min(at.x, to.x) + ink::kPad, std::min(at.y, to.y) - ink::kPad};
        if (contains(area.box, label))
          out.text(note.text, label, font, color, HorizontalAlign::kLeft, VerticalAlign::kBottom);
        break;
      }
      case AnnotationKind::kHorizontalLine:
        if (at.y < area.box.y || at.y > area.box.bottom()) break;
        out.line({area.box.x, at.y}, {area.box.right(), at.y}, {color, 0.8, {3, 2}});
        out.text(note.text, {area.box.right() - ink::kPad, at.y - ink::kPad}, font, color,
                 HorizontalAlign::kRight, VerticalAlign::kBottom);
        break;
      case AnnotationKind::kVerticalLine:
        if (at.x < area.box.x || at.x > area.box.right()) break;
        out.line({at.x, area.box.y}, {at.x, area.box.bottom()}, {color, 0.8, {3, 2}});
        out.text(note.text, {at.x + ink::kPad, area.box.y + ink::kPad}, font, color, HorizontalAlign::kLeft,
                 VerticalAlign::kTop);
        break;
    }
  }
}

double layoutLegend(DrawingBuilder& out, const Panel& panel, const Rect& plot, double distance,
                    const LayoutContext& context) {
  std::vector<LegendEntry> entries = legendEntries(panel);
  if (entries.size() < 2) return 0;
  TextFont font = {FontRole::kSans, context.preset.tick_pt};
  TextExtent line = context.measure.measure("Ag", font);
  double line_height = (line.ascent + line.descent) * 1.15;
  // Entries flow from left to right; their rows are counted before the topmost can be placed.
  std::vector<Point> places;
  double x = 0;
  std::size_t row = 0;
  for (LegendEntry& entry : entries) {
    double sample = sampleWidth(entry) + 1.5 * ink::kPad;
    entry.label = elideMiddle(entry.label, font, plot.width - sample, context.measure);
    double width = sample + context.measure.measure(entry.label, font).width;
    if (x > 0 && x + width > plot.width) x = 0, ++row;
    places.push_back({plot.x + x, line_height * (static_cast<double>(row) + 0.5)});
    x += width + 2 * ink::kGap;
  }
  double height = line_height * static_cast<double>(row + 1), top = plot.y - distance - height;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Point left = {places[i].x, top + places[i].y};
    layoutSample(out, entries[i], left);
    out.text(entries[i].label, {left.x + sampleWidth(entries[i]) + 1.5 * ink::kPad, left.y}, font, ink::kText,
             HorizontalAlign::kLeft, VerticalAlign::kMiddle);
  }
  return height;
}

}  // namespace vitrine::core
