#include "core/figure/panel_layout.h"

#include <algorithm>
#include <cmath>

#include "core/figure/colorbar_layout.h"
#include "core/figure/heat_map_layout.h"
#include "core/figure/ink.h"
#include "core/figure/series_layout.h"
#include "core/figure/thumbnail_layout.h"

namespace vitrine::core {
namespace {

constexpr double kGoldenSection = 0.618;
constexpr double kTallestThumbnails = 1.4;  // height over width of a grid of thumbnails
constexpr double kTallestFreeMap = 1.25;    // height over width of a map whose cells need not be square

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

Axis verticalAxis(const Panel& panel, const LayoutContext& context) {
  Axis axis = panel.y;
  if (context.vertical_label == VerticalLabel::kSharedWithLeft) axis.label = axis.unit = "";
  return axis;
}

void noteCells(const ResolvedColors& colors, std::vector<std::string>& notes) {
  if (colors.not_finite == 0) return;
  notes.push_back(counted(colors.not_finite, "cell is not a finite number", "cells are not finite numbers") +
                  " (drawn as masked)");
}

void layoutEmpty(DrawingBuilder& out, const Rect& plot, const LayoutContext& context) {
  out.frame(plot, {ink::kGrid, ink::kAxisWidth, {}});
  out.text("no data", {plot.x + plot.width / 2, plot.y + plot.height / 2},
           {FontRole::kSans, context.preset.label_pt}, ink::kSecondary, HorizontalAlign::kCenter,
           VerticalAlign::kMiddle);
}

void layoutTitle(DrawingBuilder& out, const Panel& panel, const Rect& plot, double distance,
                 const LayoutContext& context) {
  if (panel.title.empty()) return;
  TextFont font = {FontRole::kSans, context.preset.label_pt, FontWeight::kBold};
  out.text(elideMiddle(panel.title, font, plot.width, context.measure),
           {plot.x + plot.width / 2, plot.y - distance - ink::kPad * 2}, font, ink::kText,
           HorizontalAlign::kCenter, VerticalAlign::kBottom);
}

void layoutHeatMapPanel(DrawingBuilder& out, const Panel& panel, const ResolvedColors& colors,
                        const Rect& plot, const LayoutContext& context, std::vector<std::string>& notes) {
  const HeatMap& map = *panel.heat_map;
  PlotArea area = {plot,
                   {{AxisScale::kLinear, -0.5, static_cast<double>(map.columns) - 0.5}, plot.x, plot.right()},
                   {{AxisScale::kLinear, -0.5, static_cast<double>(map.rows) - 0.5}, plot.y, plot.bottom()}};
  layoutCells(out, map, colors, plot, context);
  layoutLines(out, panel, area);
  layoutAnnotations(out, panel, area, context);
  out.frame(plot, {ink::kText, ink::kAxisWidth, {}});
  double below =
      layoutAxis(out, panel.x, area.x, AxisSide::kBottom, TickCounting::kWhole, plot, context.preset);
  layoutAxis(out, verticalAxis(panel, context), area.y, AxisSide::kLeft, TickCounting::kWhole, plot,
             context.preset);
  MarginalReach marginals = layoutMarginals(out, map, plot, context);
  bool right = context.colorbar == ColorbarSide::kRight;
  layoutColorbar(out, map.color, colors, plot, right ? marginals.right + ink::kGap : below + ink::kGap,
                 MaskStyle::kHatched, context);
  layoutTitle(out, panel, plot, marginals.top, context);
  noteCells(colors, notes);
}

void layoutThumbnailPanel(DrawingBuilder& out, const Panel& panel, const ResolvedColors& colors,
                          const Rect& plot, const LayoutContext& context, std::vector<std::string>& notes) {
  const ThumbnailGrid& grid = *panel.thumbnails;
  ThumbnailArrangement arrangement = arrangeThumbnails(grid, plot.width, plot.height, context);
  layoutThumbnails(out, grid, colors, arrangement, {plot.x, plot.y, arrangement.width, arrangement.height},
                   context);
  layoutColorbar(out, grid.color, colors, {plot.x, plot.y, arrangement.width, arrangement.height},
                 1.5 * ink::kGap, MaskStyle::kPlain, context);
  layoutTitle(out, panel, plot, 2 * context.preset.label_pt, context);
  noteCells(colors, notes);
}

void layoutGrid(DrawingBuilder& out, const Panel& panel, const PlotArea& area, const LayoutContext& context) {
  TextFont font = {FontRole::kSans, context.preset.tick_pt};
  Stroke stroke = {ink::kGrid, ink::kMinorWidth, {}};
  if (panel.x.grid == AxisGrid::kMajor && panel.x.categories.empty())
    for (const Tick& t : fitTicks(area.x.scale, area.box.width, TickLabels::kSideBySide, TickCounting::kReal,
                                  font, out.measure()))
      if (!t.label.empty())
        out.line({area.x.at(t.value), area.box.y}, {area.x.at(t.value), area.box.bottom()}, stroke);
  if (panel.y.grid == AxisGrid::kMajor)
    for (const Tick& t : fitTicks(area.y.scale, area.box.height, TickLabels::kStacked, TickCounting::kReal,
                                  font, out.measure()))
      if (!t.label.empty())
        out.line({area.box.x, area.y.at(t.value)}, {area.box.right(), area.y.at(t.value)}, stroke);
}

Result<void> layoutSeriesPanel(DrawingBuilder& out, const Panel& panel, const Rect& plot,
                               const LayoutContext& context, std::vector<std::string>& notes) {
  DataRange across = horizontalRange(panel), up = verticalRange(panel);
  std::size_t categories = categoryCount(panel);
  PlotArea area;
  area.box = plot;
  TRY_ASSIGN(ValueScale y, resolveAxis(panel.y, up.low, up.high, !panel.bars.empty()));
  area.y = {y, plot.bottom(), plot.y};
  if (categories > 0) {
    area.x = {{AxisScale::kLinear, -0.5, static_cast<double>(categories) - 0.5}, plot.x, plot.right()};
  } else {
    TRY_ASSIGN(ValueScale x, resolveAxis(panel.x, across.low, across.high, false));
    area.x = {x, plot.x, plot.right()};
  }
  layoutGrid(out, panel, area, context);
  layoutBars(out, panel, area);
  layoutLines(out, panel, area);
  layoutAnnotations(out, panel, area, context);
  out.line({plot.x, plot.y}, {plot.x, plot.bottom()}, {ink::kText, ink::kAxisWidth, {}});
  out.line({plot.x, plot.bottom()}, {plot.right(), plot.bottom()}, {ink::kText, ink::kAxisWidth, {}});
  layoutAxis(out, panel.x, area.x, AxisSide::kBottom,
             categories > 0 ? TickCounting::kWhole : TickCounting::kReal, plot, context.preset);
  layoutAxis(out, verticalAxis(panel, context), area.y, AxisSide::kLeft, TickCounting::kReal, plot,
             context.preset);
  double legend = layoutLegend(out, panel, plot, ink::kGap, context);
  layoutTitle(out, panel, plot, legend + (legend > 0 ? ink::kGap : 0), context);
  if (std::size_t lost = pointsLeftOut(panel); lost > 0)
    notes.push_back(counted(lost, "point is", "points are") +
                    " at or below zero and left out of the log axis");
  return {};
}

bool isEmpty(const Panel& panel) {
  if (panel.heat_map) return panel.heat_map->values.empty();
  if (panel.thumbnails) return panel.thumbnails->values.empty();
  auto noPoints = [](const LineSeries& s) { return s.x.empty(); };
  auto noValues = [](const BarSeries& s) { return s.values.empty(); };
  return std::all_of(panel.lines.begin(), panel.lines.end(), noPoints) &&
         std::all_of(panel.bars.begin(), panel.bars.end(), noValues);
}

Result<void> checkLength(std::size_t index, std::string_view what, std::size_t found, std::size_t expected) {
  if (found == expected) return {};
  return fail(ErrorCode::kInvalidArgument, "figure panel {}: {} has {} entries, expected {}", index, what,
              found, expected);
}

Result<void> checkHeatMap(const Panel& panel, std::size_t index) {
  const HeatMap& map = *panel.heat_map;
  TRY(checkLength(index, "the heat map", map.values.size(), map.rows * map.columns));
  if (!map.mask.empty()) TRY(checkLength(index, "the heat map's mask", map.mask.size(), map.values.size()));
  if (!panel.x.categories.empty())
    TRY(checkLength(index, "the list of column labels", panel.x.categories.size(), map.columns));
  if (!panel.y.categories.empty())
    TRY(checkLength(index, "the list of row labels", panel.y.categories.size(), map.rows));
  if (map.top) TRY(checkLength(index, "the marginal above", map.top->values.size(), map.columns));
  if (map.right) TRY(checkLength(index, "the marginal at the right", map.right->values.size(), map.rows));
  if (map.rendering == HeatMapRendering::kVectorCells && map.values.size() > kMaxVectorCells)
    return fail(ErrorCode::kInvalidArgument,
                "figure panel {}: {} cells as vectors would make a file that viewers choke on; the limit is "
                "{}, use the raster",
                index, map.values.size(), kMaxVectorCells);
  return {};
}

Result<void> checkThumbnails(const ThumbnailGrid& grid, std::size_t index) {
  std::size_t cells = grid.thumbnail_rows * grid.thumbnail_columns;
  TRY(checkLength(index, "the thumbnail grid", grid.values.size(), grid.rows * grid.columns * cells));
  if (!grid.mask.empty() && grid.mask.size() != grid.values.size())
    TRY(checkLength(index, "the thumbnails' mask", grid.mask.size(), cells));
  if (!grid.row_names.empty())
    TRY(checkLength(index, "the list of row names", grid.row_names.size(), grid.rows));
  return {};
}

Result<void> checkSeries(const Panel& panel, std::size_t index) {
  for (const LineSeries& s : panel.lines) {
    TRY(checkLength(index, "y of line \"" + s.label + "\"", s.y.size(), s.x.size()));
    if (s.low.empty() && s.high.empty()) continue;
    TRY(checkLength(index, "the lower band of line \"" + s.label + "\"", s.low.size(), s.x.size()));
    TRY(checkLength(index, "the upper band of line \"" + s.label + "\"", s.high.size(), s.x.size()));
  }
  for (const BarSeries& s : panel.bars) {
    TRY(checkLength(index, "bar series \"" + s.label + "\"", s.values.size(), categoryCount(panel)));
    if (!s.errors.empty())
      TRY(checkLength(index, "the errors of \"" + s.label + "\"", s.errors.size(), s.values.size()));
  }
  return {};
}

}  // namespace

Result<void> checkPanel(const Panel& panel, std::size_t index) {
  if (panel.heat_map && panel.thumbnails)
    return fail(ErrorCode::kInvalidArgument,
                "figure panel {} has both a heat map and thumbnails; give it one", index);
  if (panel.heat_map) TRY(checkHeatMap(panel, index));
  if (panel.thumbnails) TRY(checkThumbnails(*panel.thumbnails, index));
  return checkSeries(panel, index);
}

PlotSize wantedPlot(const Panel& panel, double width, double max_height, const LayoutContext& context) {
  if (isEmpty(panel)) return {width, std::min(max_height, width * kGoldenSection)};
  if (panel.thumbnails) {
    double height = std::min(max_height, width * kTallestThumbnails);
    ThumbnailArrangement a = arrangeThumbnails(*panel.thumbnails, width, height, context);
    return {a.width, a.height};
  }
  if (!panel.heat_map) return {width, std::min(max_height, width * kGoldenSection)};
  double ratio = static_cast<double>(panel.heat_map->rows) / static_cast<double>(panel.heat_map->columns);
  if (panel.heat_map->cells == CellShape::kFree)
    return {width, std::min({max_height, width * ratio, width * kTallestFreeMap})};
  double height = std::min(max_height, width * ratio);
  return {height / ratio, height};
}

Result<ResolvedColors> panelColors(const Panel& panel) {
  if (panel.heat_map)
    return resolveColors(panel.heat_map->color, panel.heat_map->values, panel.heat_map->mask);
  if (panel.thumbnails)
    return resolveColors(panel.thumbnails->color, panel.thumbnails->values, panel.thumbnails->mask);
  return ResolvedColors{};
}

Result<PanelDrawing> layoutPanel(const Panel& panel, const ResolvedColors& colors, PlotSize size,
                                 const LayoutContext& context) {
  DrawingBuilder out(context.measure);
  PanelDrawing drawing;
  Rect plot = {0, 0, size.width, size.height};
  if (isEmpty(panel))
    layoutEmpty(out, plot, context);
  else if (panel.heat_map)
    layoutHeatMapPanel(out, panel, colors, plot, context, drawing.notes);
  else if (panel.thumbnails)
    layoutThumbnailPanel(out, panel, colors, plot, context, drawing.notes);
  else
    TRY(layoutSeriesPanel(out, panel, plot, context, drawing.notes));
  drawing.bounds = unite(out.bounds(), plot);
  drawing.items = out.take();
  return drawing;
}

}  // namespace vitrine::core
