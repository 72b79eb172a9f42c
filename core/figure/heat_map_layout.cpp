#include "core/figure/heat_map_layout.h"

#include <algorithm>
#include <cmath>

#include "core/figure/axis_layout.h"
#include "core/figure/ink.h"

namespace vitrine::core {
namespace {

constexpr double kHatchSpacing = 3.2;    // points between strokes
constexpr double kShortestStroke = 0.6;  // shorter ones would be dots

Raster cellRaster(const HeatMap& map, const ValueScale& scale, const Rect& plot) {
  Raster raster = {plot, map.columns, map.rows, {}};
  raster.pixels.reserve(map.values.size());
  for (std::size_t i = 0; i < map.values.size(); ++i)
    raster.pixels.push_back(
        cellColor(map.color, scale, map.values[i], !map.mask.empty() && map.mask[i] != 0));
  return raster;
}

// Each cell reaches a little under its right and lower neighbour, which are drawn later: viewers that
// antialias polygon edges would otherwise show hairlines between cells.
void layoutVectorCells(DrawingBuilder& out, const HeatMap& map, const ValueScale& scale, const Rect& plot) {
  constexpr double kOverlap = 0.25;
  double width = plot.width / static_cast<double>(map.columns),
         height = plot.height / static_cast<double>(map.rows);
  for (std::size_t r = 0; r < map.rows; ++r) {
    for (std::size_t c = 0; c < map.columns; ++c) {
      double x = plot.x + width * static_cast<double>(c), y = plot.y + height * static_cast<double>(r);
      Rect cell = {x, y, std::min(width + kOverlap, plot.right() - x),
                   std::min(height + kOverlap, plot.bottom() - y)};
      out.rectangle(cell, cellColor(map.color, scale, map.values[r * map.columns + c], isMasked(map, r, c)));
    }
  }
}

double largest(const std::vector<float>& values) {
  double most = 0;
  for (float v : values)
    if (std::isfinite(v)) most = std::max<double>(most, v);
  return most;
}

struct MarginalScale {
  double limit = 1;  // the value at the outer edge
  Tick tick;         // the one named value
};

MarginalScale marginalScale(const std::vector<float>& values) {
  double most = largest(values);
  if (most <= 0) return {1, {0, ""}};
  std::vector<Tick> ticks = linearTicks(0, most, 3);
  return {most * 1.02, ticks.back()};
}

// Bars along one side of the map; `at` gives the page's point so far along the side and so far outwards from
// it. Where places are finer than a printer's dots one silhouette stands for all bars.
void layoutMarginalBars(DrawingBuilder& out, const Marginal& marginal, const MarginalScale& scale,
                        double pitch, double depth, Rgb8 color,
                        const std::function<Point(double along, double outwards)>& at) {
  constexpr double kFine = 0.5;
  auto lengthOf = [&](float value) {
    return std::isfinite(value) && value > 0 ? depth * value / scale.limit : 0.0;
  };
  std::vector<Point> silhouette = {at(0, 0)};
  for (std::size_t i = 0; i < marginal.values.size(); ++i) {
    double begin = pitch * static_cast<double>(i), length = lengthOf(marginal.values[i]);
    silhouette.insert(silhouette.end(), {at(begin, length), at(begin + pitch, length)});
    if (pitch < kFine || length == 0) continue;
    double inset = pitch > 3 ? pitch * 0.1 : 0;
    out.polygon({at(begin + inset, 0), at(begin + inset, length), at(begin + pitch - inset, length),
                 at(begin + pitch - inset, 0)},
                color);
  }
  if (pitch >= kFine) return;
  silhouette.push_back(at(pitch * static_cast<double>(marginal.values.size()), 0));
  out.polygon(std::move(silhouette), color);
}

// Its label stands, a word a line, in the corner that the token names leave free.
void layoutTop(DrawingBuilder& out, const Marginal& marginal, const Rect& area,
               const LayoutContext& context) {
  MarginalScale scale = marginalScale(marginal.values);
  double pitch = area.width / static_cast<double>(marginal.values.size());
  layoutMarginalBars(out, marginal, scale, pitch, area.height, ink::kFirstMarginal,
                     [&](double along, double outwards) {
                       return Point{area.x + along, area.bottom() - outwards};
                     });
  out.line({area.x, area.bottom()}, {area.right(), area.bottom()}, {ink::kSecondary, ink::kMinorWidth, {}});
  TextFont font = {FontRole::kSans, context.preset.min_token_pt};
  double y = area.bottom() - area.height * scale.tick.value / scale.limit,
         right = area.x - ink::kMinorTick - ink::kPad;
  out.line({area.x - ink::kMinorTick, y}, {area.x, y}, {ink::kSecondary, ink::kMinorWidth, {}});
  out.text(scale.tick.label, {right, y}, font, ink::kSecondary, HorizontalAlign::kRight,
           VerticalAlign::kMiddle);
  right -= context.measure.measure(scale.tick.label, font).width + 2 * ink::kPad;
  std::vector<std::string> lines =
      wrapText(labelWithUnit(marginal.label, marginal.unit), font, 0, context.measure);
  double height = font.size * 1.15,
         top = area.y + area.height / 2 - height * static_cast<double>(lines.size() - 1) / 2;
  for (std::size_t i = 0; i < lines.size(); ++i)
    out.text(lines[i], {right, top + height * static_cast<double>(i)}, font, ink::kFirstMarginal,
             HorizontalAlign::kRight, VerticalAlign::kMiddle);
}

void layoutRight(DrawingBuilder& out, const Marginal& marginal, const Rect& area,
                 const LayoutContext& context) {
  MarginalScale scale = marginalScale(marginal.values);
  double pitch = area.height / static_cast<double>(marginal.values.size());
  layoutMarginalBars(out, marginal, scale, pitch, area.width, ink::kSecondMarginal,
                     [&](double along, double outwards) {
                       return Point{area.x + outwards, area.y + along};
                     });
  out.line({area.x, area.y}, {area.x, area.bottom()}, {ink::kSecondary, ink::kMinorWidth, {}});
  TextFont font = {FontRole::kSans, context.preset.min_token_pt};
  double x = area.x + area.width * scale.tick.value / scale.limit,
         y = area.bottom() + ink::kMinorTick + ink::kPad;
  out.line({x, area.bottom()}, {x, area.bottom() + ink::kMinorTick}, {ink::kSecondary, ink::kMinorWidth, {}});
  out.text(scale.tick.label, {x, y}, font, ink::kSecondary, HorizontalAlign::kCenter, VerticalAlign::kTop);
  TextExtent line = context.measure.measure(scale.tick.label, font);
  out.verticalText(labelWithUnit(marginal.label, marginal.unit),
                   {area.x + area.width / 2, y + line.ascent + line.descent + ink::kPad}, font,
                   ink::kSecondMarginal, HorizontalAlign::kCenter, VerticalAlign::kTop);
}

}  // namespace

bool isMasked(const HeatMap& map, std::size_t row, std::size_t column) {
  std::size_t i = row * map.columns + column;
  return (!map.mask.empty() && map.mask[i] != 0) || !std::isfinite(map.values[i]);
}

Rgb8 cellColor(const ColorScale& color, const ValueScale& scale, float value, bool masked) {
  if (masked || !std::isfinite(value)) return ink::kMasked;
  return sampleColormap(color.map, scale.position(value));
}

void layoutCells(DrawingBuilder& out, const HeatMap& map, const ResolvedColors& colors, const Rect& plot,
                 const LayoutContext& context) {
  if (context.pass == LayoutPass::kMeasure) {
    out.rectangle(plot, ink::kMasked);
    return;
  }
  if (map.rendering == HeatMapRendering::kVectorCells)
    layoutVectorCells(out, map, colors.scale, plot);
  else
    out.raster(cellRaster(map, colors.scale, plot));
  if (colors.masked + colors.not_finite > 0)
    layoutHatching(out, plot, map.rows, map.columns,
                   [&map](std::size_t r, std::size_t c) { return isMasked(map, r, c); });
}

void layoutHatching(DrawingBuilder& out, const Rect& box, std::size_t rows, std::size_t columns,
                    const std::function<bool(std::size_t, std::size_t)>& hatched) {
  double cell_width = box.width / static_cast<double>(columns),
         cell_height = box.height / static_cast<double>(rows);
  double spacing = kHatchSpacing * std::sqrt(2.0);
  // A stroke is the set of points with x + y = sum (relative to the box), walked by x from cell edge to cell
  // edge.
  for (double sum = spacing / 2; sum < box.width + box.height; sum += spacing) {
    double x = std::max(0.0, sum - box.height), end = std::min(box.width, sum), start = -1;
    auto finish = [&](double at) {
      if (start >= 0 && at - start >= kShortestStroke)
        out.line({box.x + start, box.y + sum - start}, {box.x + at, box.y + sum - at},
                 {ink::kHatch, 0.35, {}});
      start = -1;
    };
    while (x < end) {
      double next_column = (std::floor(x / cell_width + 1e-9) + 1) * cell_width;
      double next_row = sum - (std::ceil((sum - x) / cell_height - 1e-9) - 1) * cell_height;
      double next = std::min({next_column, next_row, end});
      if (next <= x)
        next = std::min(end, x + std::min(cell_width, cell_height));  // rounding must not stop the walk
      double middle = (x + next) / 2;
      auto column = std::min(columns - 1, static_cast<std::size_t>(middle / cell_width));
      auto row = std::min(rows - 1, static_cast<std::size_t>((sum - middle) / cell_height));
      if (!hatched(row, column))
        finish(x);
      else if (start < 0)
        start = x;
      x = next;
    }
    finish(end);
  }
}

MarginalReach layoutMarginals(DrawingBuilder& out, const HeatMap& map, const Rect& plot,
                              const LayoutContext& context) {
  double depth = std::clamp(0.1 * std::min(plot.width, plot.height), 8.0, 24.0);
  MarginalReach reach;
  if (map.top) {
    layoutTop(out, *map.top, {plot.x, plot.y - ink::kPad - depth, plot.width, depth}, context);
    reach.top = ink::kPad + depth;
  }
  if (map.right) {
    layoutRight(out, *map.right, {plot.right() + ink::kPad, plot.y, depth, plot.height}, context);
    reach.right = ink::kPad + depth;
  }
  return reach;
}

}  // namespace vitrine::core
