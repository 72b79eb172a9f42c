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

void layoutTop(DrawingBuilder& out, const Marginal& marginal, const Rect& area,
               const LayoutContext& context) {
  MarginalScale scale = marginalScale(marginal.values);
  double pitch = area.width / static_cast<double>(std::max<std::size_t>(1, marginal.values.size()));
  double inset = pitch > 3 ? pitch * 0.1 : 0;
  for (std::size_t i = 0; i < marginal.values.size(); ++i) {
    if (!(marginal.values[i] > 0) || !std::isfinite(marginal.values[i])) continue;
    double height = area.height * marginal.values[i] / scale.limit;
    out.rectangle(
        {area.x + pitch * static_cast<double>(i) + inset, area.bottom() - height, pitch - 2 * inset, height},
        ink::kFirstMarginal);
  }
  out.line({area.x, area.bottom()}, {area.right(), area.bottom()}, {ink::kSecondary, ink::kMinorWidth, {}});
  TextFont font = {FontRole::kSans, context.preset.min_token_pt};
  double y = area.bottom() - area.height * scale.tick.value / scale.limit;
  out.line({area.x - ink::kMinorTick, y}, {area.x, y}, {ink::kSecondary, ink::kMinorWidth, {}});
  out.text(scale.tick.label, {area.x - ink::kMinorTick - ink::kPad, y}, font, ink::kSecondary,
           HorizontalAlign::kRight, VerticalAlign::kMiddle);
  out.text(labelWithUnit(marginal.label, marginal.unit), {area.x + area.width, area.y - ink::kPad}, font,
           ink::kFirstMarginal, HorizontalAlign::kRight, VerticalAlign::kBottom);
}

void layoutRight(DrawingBuilder& out, const Marginal& marginal, const Rect& area,
                 const LayoutContext& context) {
  MarginalScale scale = marginalScale(marginal.values);
  double pitch = area.height / static_cast<double>(std::max<std::size_t>(1, marginal.values.size()));
  double inset = pitch > 3 ? pitch * 0.1 : 0;
  for (std::size_t i = 0; i < marginal.values.size(); ++i) {
    if (!(marginal.values[i] > 0) || !std::isfinite(marginal.values[i])) continue;
    double width = area.width * marginal.values[i] / scale.limit;
    out.rectangle({area.x, area.y + pitch * static_cast<double>(i) + inset, width, pitch - 2 * inset},
                  ink::kSecondMarginal);
  }
  out.line({area.x, area.y}, {area.x, area.bottom()}, {ink::kSecondary, ink::kMinorWidth, {}});
  TextFont font = {FontRole::kSans, context.preset.min_token_pt};
  double x = area.x + area.width * scale.tick.value / scale.limit;
  out.line({x, area.bottom()}, {x, area.bottom() + ink::kMinorTick}, {ink::kSecondary, ink::kMinorWidth, {}});
  out.text(scale.tick.label, {x, area.bottom() + ink::kMinorTick + ink::kPad}, font, ink::kSecondary,
           HorizontalAlign::kCenter, VerticalAlign::kTop);
  out.verticalText(labelWithUnit(marginal.label, marginal.unit), {area.right() + ink::kPad, area.y}, font,
                   ink::kSecondMarginal, HorizontalAlign::kLeft, VerticalAlign::kTop);
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
  TextExtent line = context.measure.measure("Ag", {FontRole::kSans, context.preset.min_token_pt});
  double text_height = line.ascent + line.descent;
  if (map.top) {
    layoutTop(out, *map.top, {plot.x, plot.y - ink::kPad - depth, plot.width, depth}, context);
    reach.top = 2 * ink::kPad + depth + text_height;
  }
  if (map.right) {
    layoutRight(out, *map.right, {plot.right() + ink::kPad, plot.y, depth, plot.height}, context);
    reach.right = 2 * ink::kPad + depth + text_height;
  }
  return reach;
}

}  // namespace vitrine::core
