#include "ui/figure/drawing_painter.h"

#include <QImage>
#include <QPainterPath>
#include <QPolygonF>
#include <algorithm>
#include <cctype>

#include "ui/figure/qt_fonts.h"

namespace vitrine::ui {
namespace {

constexpr std::size_t kSharpPixels = 1024;  // of an enlarged raster's longer side, at least

QPointF toUnits(core::Point p) {
  return {p.x * kUnitsPerPoint, p.y * kUnitsPerPoint};
}
QColor toColor(core::Rgb8 c) {
  return {c.r, c.g, c.b};
}

QPolygonF toPolygon(const std::vector<core::Point>& points) {
  QPolygonF polygon;
  for (const core::Point& p : points) polygon << toUnits(p);
  return polygon;
}

bool isClosed(const std::vector<core::Point>& points) {
  return points.size() > 3 && points.front().x == points.back().x && points.front().y == points.back().y;
}

void paint(QPainter& painter, const core::Polyline& line) {
  QPen pen(toColor(line.stroke.color), line.stroke.width * kUnitsPerPoint, Qt::SolidLine, Qt::FlatCap,
           Qt::MiterJoin);
  if (!line.stroke.dash.empty()) {
    QList<qreal> dash;  // Qt counts dashes in pen widths
    for (double length : line.stroke.dash) dash << length / line.stroke.width;
    pen.setDashPattern(dash);
    pen.setJoinStyle(Qt::RoundJoin);
  }
  painter.setPen(pen);
  painter.setBrush(Qt::NoBrush);
  QPolygonF points = toPolygon(line.points);
  if (isClosed(line.points))
    painter.drawPolygon(points);
  else
    painter.drawPolyline(points);
}

void paint(QPainter& painter, const core::Polygon& polygon) {
  QColor fill = toColor(polygon.fill);
  fill.setAlphaF(static_cast<float>(polygon.opacity));
  painter.setPen(Qt::NoPen);
  painter.setBrush(fill);
  painter.drawPolygon(toPolygon(polygon.points));
}

QImage toImage(const core::Raster& raster, RasterDetail detail) {
  std::size_t longer = std::max<std::size_t>(1, std::max(raster.width, raster.height));
  std::size_t repeat = detail == RasterDetail::kAsIs ? 1 : (kSharpPixels + longer - 1) / longer;
  // A one pixel wide raster (a colour bar) is as sharp across as it can be.
  std::size_t across = raster.width == 1 ? 1 : repeat, down = raster.height == 1 ? 1 : repeat;
  QImage image(static_cast<int>(raster.width * across), static_cast<int>(raster.height * down),
               QImage::Format_RGB32);
  for (std::size_t y = 0; y < raster.height * down; ++y) {
    auto* line = reinterpret_cast<QRgb*>(image.scanLine(static_cast<int>(y)));
    const core::Rgb8* pixels = raster.pixels.data() + y / down * raster.width;
    for (std::size_t x = 0; x < raster.width * across; ++x) {
      const core::Rgb8& c = pixels[x / across];
      line[x] = qRgb(c.r, c.g, c.b);
    }
  }
  return image;
}

void paint(QPainter& painter, const core::Raster& raster, RasterDetail detail) {
  QRectF box(toUnits({raster.box.x, raster.box.y}),
             QSizeF(raster.box.width * kUnitsPerPoint, raster.box.height * kUnitsPerPoint));
  painter.drawImage(box, toImage(raster, detail));
}

bool isOperator(char c) {
  return std::ispunct(static_cast<unsigned char>(c)) != 0;
}

// Programming fonts join "!=" to "≠" and "->" to an arrow, which are other tokens; a part never holds two
// operator signs in a row.
std::vector<std::string> withoutLigatures(const core::Text& text) {
  std::vector<std::string> parts = {""};
  for (std::size_t i = 0; i < text.utf8.size(); ++i) {
    bool joins = text.font.role == core::FontRole::kMono && i > 0 && isOperator(text.utf8[i]) &&
                 isOperator(text.utf8[i - 1]);
    if (joins) parts.emplace_back();
    parts.back() += text.utf8[i];
  }
  return parts;
}

void paint(QPainter& painter, const core::Text& text, const core::FigurePreset& preset) {
  painter.save();
  painter.translate(toUnits(text.origin));
  if (text.rotation != 0) painter.rotate(-text.rotation);
  painter.setFont(figureFont(text.font, preset));
  painter.setPen(toColor(text.color));
  QtTextMeasure measure(preset);
  double x = 0;
  for (const std::string& part : withoutLigatures(text)) {
    painter.drawText(QPointF(x * kUnitsPerPoint, 0), QString::fromStdString(part));
    x += measure.measure(part, text.font).width;
  }
  painter.restore();
}

}  // namespace

void paintDrawing(QPainter& painter, const core::Drawing& drawing, const core::FigurePreset& preset,
                  RasterDetail detail) {
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setRenderHint(QPainter::TextAntialiasing);
  painter.setRenderHint(QPainter::LosslessImageRendering);  // never JPEG
  painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
  for (const core::Primitive& item : drawing.items) {
    if (const auto* line = std::get_if<core::Polyline>(&item))
      paint(painter, *line);
    else if (const auto* polygon = std::get_if<core::Polygon>(&item))
      paint(painter, *polygon);
    else if (const auto* raster = std::get_if<core::Raster>(&item))
      paint(painter, *raster, detail);
    else
      paint(painter, std::get<core::Text>(item), preset);
  }
}

}  // namespace vitrine::ui
