// The map panel's behaviour: what is seen, the pointer, values. Drawing is in map_panel_draw.cpp.
#include "ui/views/attention/map_panel.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::attention {
namespace {

constexpr double kWheelFactor = 1.2, kDragThreshold = 4;

double longestLabel(const PanelContext& context) {
  constexpr double kCharacter = 6.2, kPadding = 14, kPosition = 34;
  constexpr std::size_t kMostBytes = 14, kManyTokens = 50;  // labels of more tokens are thinned and numbered
  std::size_t longest = 4;
  if (!context.snapshot.tokens) return 0;
  for (const core::Token& token : *context.snapshot.tokens) longest = std::max(longest, token.display.size());
  return double(std::min(longest, kMostBytes)) * kCharacter + kPadding +
         (context.tokens() > kManyTokens ? kPosition : 0);
}

}  // namespace

void MapPanel::draw(CanvasFrame& frame, const PanelContext& context, const Rect& area) {
  layout_ = layOutMap(area, longestLabel(context));
  if (layout_.cells.empty()) return;
  viewport_.setArea(layout_.cells, frame.pixel_ratio);
  followSequence(context);
  if (std::exchange(show_locked_, false))
    if (const auto& locked = context.selection.locked(); locked && !viewport_.fitted())
      viewport_.showCell(locked->query.value_or(0), locked->key.value_or(0));
  handleMouse(frame, context, area);
  if (viewport_.advance(frame.seconds)) frame.again();

  const Rect plot = viewport_.plot();
  if (plot.empty()) return;
  drawPictures(frame, context, plot);
  drawGrid(frame, context, plot);
  drawNumbers(frame, context, plot);
  drawMarginals(frame, context, plot);
  drawCrosshair(frame, context, plot);
  drawQueryLabels(frame, context, plot);
  drawKeyLabels(frame, context, plot);
  if (hovering_ && !dragging_) drawHover(frame, context);
}

void MapPanel::followSequence(const PanelContext& context) {
  const std::uint32_t tokens = context.tokens();
  viewport_.setCells(fittedCells(tokens, context.live() ? Growth::kLive : Growth::kAtRest));
  const auto& map = context.snapshot.map;
  if (map && map->request.query0 == 0 && map->request.key0 == 0 && map->request.query1 >= map->tokens &&
      map->request.key1 >= map->tokens)
    whole_ = map;
  if (tokens == 0) whole_ = nullptr;
}

Cell MapPanel::cellAt(Point at, std::uint32_t tokens) const {
  Cell cell;
  const Rect plot = viewport_.plot();
  const double key = std::floor(viewport_.keyAt(at.x)), query = std::floor(viewport_.queryAt(at.y));
  // Labels and marginals beside the plot stand for their row or column.
  const bool in_rows = at.y >= plot.y0 && at.y < plot.y1, in_columns = at.x >= plot.x0 && at.x < plot.x1;
  if (in_rows && query >= 0 && query < tokens) cell.query = std::uint32_t(query);
  if (in_columns && key >= 0 && key < tokens) cell.key = std::uint32_t(key);
  return cell;
}

void MapPanel::handleMouse(CanvasFrame& frame, const PanelContext& context, const Rect& area) {
  const ImGuiIO& io = ImGui::GetIO();
  ImGui::SetCursorScreenPos(low(area));
  ImGui::InvisibleButton("map", {float(area.width()), float(area.height())},
                         ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonMiddle);
  const Point at = toPoint(io.MousePos);
  const bool hovered = ImGui::IsItemHovered(), active = ImGui::IsItemActive();
  if (hovered && io.MouseWheel != 0) viewport_.zoomAt(at, std::pow(kWheelFactor, io.MouseWheel));
  if (hovered && io.MouseWheelH != 0) viewport_.panBy(io.MouseWheelH * 40.0, 0);

  const bool middle = ImGui::IsMouseDown(ImGuiMouseButton_Middle);
  const bool far =
      ImGui::IsMouseDragging(middle ? ImGuiMouseButton_Middle : ImGuiMouseButton_Left, kDragThreshold);
  if (active && far) dragging_ = true;
  if (active && dragging_) {
    viewport_.panBy(io.MouseDelta.x, io.MouseDelta.y);
    frame.cursor = ImGuiMouseCursor_ResizeAll;
  }
  const Cell cell = hovered ? cellAt(at, context.tokens()) : Cell{};
  if (ImGui::IsItemDeactivated()) {
    const bool click = !dragging_ && hovered && ImGui::IsMouseReleased(ImGuiMouseButton_Left);
    if (click) context.selection.lock(cell);
    dragging_ = false;
  }
  // Only what this map hovered is this map's to clear: the token strip hovers queries as well.
  if (!dragging_ && (hovered || was_hovered_)) context.selection.hover(cell);
  was_hovered_ = hovered;
  hovering_ = hovered && (cell.query || cell.key);
}

const core::MapPicture* MapPanel::currentPicture(const PanelContext& context) const {
  const auto& map = context.snapshot.map;
  const Head head = context.selection.head();
  if (!map || !map->image || map->request.layer != head.layer || map->request.head != head.head)
    return nullptr;
  return map.get();
}

std::optional<MapPanel::Value> MapPanel::valueAt(const PanelContext& context, std::uint32_t query,
                                                 std::uint32_t key) const {
  const Head head = context.selection.head();
  const auto& row = context.snapshot.row;
  if (row && row->request == core::RowRequest{head.layer, head.head, query} && key < row->probability.size())
    return Value{row->probability[key], row->lse, 1};
  const core::MapPicture* picture = currentPicture(context);
  const auto values = reader_.values(picture ? picture->image.get() : nullptr);
  if (values.empty()) return std::nullopt;
  const core::MapRequest& request = picture->request;
  const double columns = request.width / (request.key1 - request.key0);
  const double rows = request.height / (request.query1 - request.query0);
  const double x = std::floor((key + 0.5 - request.key0) * columns);
  const double y = std::floor((query + 0.5 - request.query0) * rows);
  if (x < 0 || y < 0 || x >= request.width || y >= request.height) return std::nullopt;
  return Value{values[std::size_t(y) * request.width + std::size_t(x)], std::nullopt,
               std::uint32_t(std::ceil(1 / std::min({columns, rows, 1.0})))};
}

}  // namespace vitrine::ui::attention
