#include "ui/views/spectra/direction_map_panel.h"

#include "core/figure/colormap.h"
#include "core/figure/value_scale.h"
#include "gpu/log.h"
#include "ui/views/axis_labels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vitrine::ui::spectra {
namespace {

constexpr double kTitle = 32, kLabels = 46, kBelow = 38, kBar = 10, kBarGap = 10, kBarLabels = 58;
constexpr double kWheelFactor = 1.2, kDragThreshold = 4, kLeastSide = 60;
constexpr int kSmallText = 11;

void mapText(CanvasFrame& frame, ImVec2 at, Align align, Rgba color, const std::string& text,
             double width = 200) {
  drawLabel(*ImGui::GetWindowDrawList(), frame, at, align,
            {kSmallText, float(width), color, LabelFont::kInterface}, text);
}

void downText(CanvasFrame& frame, double x, double middle, double room, Rgba color, std::string_view text) {
  const std::string label(text);
  const LabelStyle style{kSmallText, float(room), color, LabelFont::kInterface};
  const float length = frame.labels.get(label, kSmallText, style.max_width, LabelFont::kInterface).width;
  drawLabelDown(*ImGui::GetWindowDrawList(), frame, {float(x), float(middle) - length / 2}, style, label);
}

Rgba inkOn(core::Rgb8 ground) {
  const double luminance = 0.2126 * ground.r + 0.7152 * ground.g + 0.0722 * ground.b;
  return luminance > 120 ? Rgba{16, 16, 20, 255} : Rgba{236, 238, 242, 255};
}

void frameOf(const Rect& rect, Rgba color) {
  ImGui::GetWindowDrawList()->AddRect(low(rect), high(rect), color.abgr());
}

}  // namespace

void DirectionMapPanel::show(const Compared& compared) {
  if (compared == compared_) return;
  compared_ = compared;
  map_ = compared ? directionMap(*compared, kind_) : DirectionMap{.kind = kind_};
  pool_ = 0;
  viewport_.setCells(std::uint32_t(map_.cells));
}

void DirectionMapPanel::draw(CanvasFrame& frame, const Rect& area, const Compared& compared,
                             const Look& look) {
  show(compared);
  hovered_ = false;
  const Colors& colors = frame.theme.colors;
  const std::string title(textsOf(kind_).title);
  const float wide = frame.labels.get(title, 13, float(area.width()) - 32, LabelFont::kInterface).width;
  drawLabel(*ImGui::GetWindowDrawList(), frame, {float(area.x0 + 16), float(area.y0 + 18)}, Align::kLeft,
            {13, float(area.width()) - 32, colors.text, LabelFont::kInterface}, title);
  if (const double room = area.width() - double(wide) - 48; room > 60)
    mapText(frame, {float(area.x1 - 16), float(area.y0 + 18)}, Align::kRight, colors.text_secondary,
            look.note, room);
  const Rect cells{area.x0 + 16 + kLabels, area.y0 + kTitle, area.x1 - kBarGap - kBar - kBarLabels,
                   area.y1 - kBelow};
  if (cells.width() < kLeastSide || cells.height() < kLeastSide || map_.empty()) {
    if (map_.empty())
      mapText(frame, toIm(area.center()), Align::kCenter, colors.text_secondary, "Not compared yet.",
              area.width() - 32);
    return;
  }
  viewport_.setArea(cells, frame.pixel_ratio);
  handleMouse(frame, area);
  if (viewport_.advance(frame.seconds)) frame.again();
  const Rect plot = viewport_.plot();
  if (plot.empty()) return;
  drawPicture(frame, plot, look);
  drawGrid(frame, plot);
  drawNumbers(frame, plot, look);
  drawLabels(frame, area, plot);
  drawColorBar(frame, plot, look);
  if (hovered_ && !dragging_) drawHover(frame, plot, look);
}

void DirectionMapPanel::handleMouse(CanvasFrame& frame, const Rect& area) {
  const ImGuiIO& io = ImGui::GetIO();
  ImGui::PushID(int(kind_));
  const Rect plot = viewport_.plot();
  ImGui::SetCursorScreenPos(low(plot));
  ImGui::InvisibleButton("directions", {float(plot.width()), float(plot.height())});
  hovered_ = ImGui::IsItemHovered();
  const bool active = ImGui::IsItemActive(), released = ImGui::IsItemDeactivated();
  ImGui::PopID();
  const Point at = toPoint(io.MousePos);
  if (hovered_ && io.MouseWheel != 0) viewport_.zoomAt(at, std::pow(kWheelFactor, io.MouseWheel));
  if (hovered_ && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) viewport_.fit();
  if (active && ImGui::IsMouseDragging(ImGuiMouseButton_Left, kDragThreshold)) dragging_ = true;
  if (active && dragging_) {
    viewport_.panBy(io.MouseDelta.x, io.MouseDelta.y);
    frame.cursor = ImGuiMouseCursor_ResizeAll;
  }
  if (released || !area.contains(at)) dragging_ = dragging_ && active;
}

std::optional<DirectionMapPanel::Cell> DirectionMapPanel::cellAt(Point at) const {
  const double row = std::floor(viewport_.queryAt(at.y)), column = std::floor(viewport_.keyAt(at.x));
  const double cells = double(map_.cells);
  if (row < 0 || column < 0 || row >= cells || column >= cells) return std::nullopt;
  return Cell{std::size_t(row), std::size_t(column)};
}

// A new picture where the map or the number of cells a pixel is another one.
void DirectionMapPanel::drawPicture(CanvasFrame& frame, const Rect& plot, const Look& look) {
  const std::size_t pool = poolFor(viewport_.cellSize() * frame.pixel_ratio);
  const std::size_t side = (map_.cells + pool - 1) / pool;
  if (pool != pool_) {
    auto image = gpu::Image::create(device_, std::uint32_t(side), std::uint32_t(side), VK_FORMAT_R32_SFLOAT,
                                    "map of directions");
    if (!image) return logWarning(fmt::format("map of directions: {}", image.error().describe()));
    picture_ = std::make_shared<const gpu::Image>(std::move(*image));
    pool_ = pool;
    const std::vector<float> values = pooled(map_, pool);
    frame.renderer.upload(picture_, 0, 0, std::uint32_t(side), std::uint32_t(side),
                          std::as_bytes(std::span(values)));
  }
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  list.PushClipRect(low(plot), high(plot), true);
  const MapPaint paint{map_.range, map_.scale, look.colormap, colors.masked, colors.error};
  const float end = float(double(map_.cells) / double(side * pool));
  list.AddImage(frame.renderer.map(picture_, paint), {float(viewport_.xOf(0)), float(viewport_.yOf(0))},
                {float(viewport_.xOf(double(map_.cells))), float(viewport_.yOf(double(map_.cells)))}, {0, 0},
                {end, end});
  list.PopClipRect();
}

void DirectionMapPanel::drawGrid(CanvasFrame& frame, const Rect& plot) const {
  if (viewport_.cellSize() < frame.theme.sizes.map_grid_from) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImU32 color = frame.theme.colors.canvas.withAlpha(110).abgr();
  const float line = float(1 / frame.pixel_ratio);
  const Rect seen = viewport_.visibleCells();
  for (double row = std::ceil(seen.y0); row <= seen.y1; ++row) {
    const float y = float(viewport_.yOf(row));
    list.AddRectFilled({float(plot.x0), y}, {float(plot.x1), y + line}, color);
  }
  for (double column = std::ceil(seen.x0); column <= seen.x1; ++column) {
    const float x = float(viewport_.xOf(column));
    list.AddRectFilled({x, float(plot.y0)}, {x + line, float(plot.y1)}, color);
  }
}

void DirectionMapPanel::drawNumbers(CanvasFrame& frame, const Rect& plot, const Look& look) const {
  if (viewport_.cellSize() < frame.theme.sizes.map_numbers_from) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.PushClipRect(low(plot), high(plot), true);
  const Rect seen = viewport_.visibleCells();
  const auto last = [&](double end) { return std::min(map_.cells, std::size_t(std::ceil(end))); };
  for (auto row = std::size_t(seen.y0); row < last(seen.y1); ++row)
    for (auto column = std::size_t(seen.x0); column < last(seen.x1); ++column) {
      const double value = double(map_.at(row, column));
      const core::Rgb8 ground = core::sampleColormap(look.colormap, position(value, map_.range, map_.scale));
      const Rect cell = viewport_.cellRect(std::uint32_t(row), std::uint32_t(column));
      drawText(list, frame.fonts.monoSmall(), toIm(cell.center()), Align::kCenter, inkOn(ground),
               map_.kind == DirectionMapKind::kChange ? fmt::format("{:.0e}", value)
                                                      : fmt::format("{:.2f}", value));
    }
  list.PopClipRect();
}

// Directions count from 1; a cell of several is labelled by its first.
void DirectionMapPanel::drawLabels(CanvasFrame& frame, const Rect& area, const Rect& plot) const {
  const Colors& colors = frame.theme.colors;
  AxisRequest request{.first_at = viewport_.yOf(0.5),
                      .cell = viewport_.cellSize(),
                      .from = plot.y0,
                      .to = plot.y1,
                      .count = std::uint32_t(map_.cells),
                      .spacing = 22};
  const auto label = [&](std::uint32_t cell) { return std::to_string(directionsOf(map_, cell).first); };
  for (const AxisLabel& row : axisLabels(request))
    mapText(frame, {float(plot.x0 - 6), float(row.at)}, Align::kRight, colors.text_secondary,
            label(row.index));
  request.first_at = viewport_.xOf(0.5);
  request.from = plot.x0;
  request.to = plot.x1;
  request.spacing = 30;
  for (const AxisLabel& column : axisLabels(request))
    mapText(frame, {float(column.at), float(plot.y1 + 10)}, Align::kCenter, colors.text_secondary,
            label(column.index));
  const DirectionMapTexts& texts = textsOf(kind_);
  mapText(frame, {float(plot.center().x), float(plot.y1 + 26)}, Align::kCenter, colors.text_secondary,
          std::string(texts.columns), plot.width() + 40);
  downText(frame, std::max(area.x0 + 12, plot.x0 - kLabels + 4), plot.center().y, plot.height(),
           colors.text_secondary, texts.rows);
}

void DirectionMapPanel::drawColorBar(CanvasFrame& frame, const Rect& plot, const Look& look) const {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  const Rect bar{plot.x1 + kBarGap, plot.y0, plot.x1 + kBarGap + kBar, plot.y1};
  const int steps = std::max(2, int(bar.height() * frame.pixel_ratio));
  for (int i = 0; i < steps; ++i) {
    const core::Rgb8 color = core::sampleColormap(look.colormap, 1 - (i + 0.5) / steps);
    const double y0 = bar.y0 + bar.height() * i / steps, y1 = bar.y0 + bar.height() * (i + 1) / steps;
    list.AddRectFilled({float(bar.x0), float(y0)}, {float(bar.x1), float(y1)},
                       Rgba{color.r, color.g, color.b, 255}.abgr());
  }
  const core::ValueScale scale{map_.scale == Scale::kLog ? core::AxisScale::kLog : core::AxisScale::kLinear,
                               map_.range.low, map_.range.high};
  for (const core::Tick& tick : scale.ticks(std::size_t(std::max(2.0, bar.height() / 40)))) {
    if (tick.label.empty()) continue;
    const double y = bar.y1 - bar.height() * scale.position(tick.value);
    list.AddLine({float(bar.x1), float(y)}, {float(bar.x1 + 3), float(y)}, colors.control_border.abgr());
    mapText(frame, {float(bar.x1 + 6), float(std::clamp(y, bar.y0 + 5, bar.y1 - 5))}, Align::kLeft,
            colors.text_secondary, tick.label);
  }
  downText(frame, bar.x1 + 40, bar.center().y, bar.height(), colors.text_secondary, textsOf(kind_).quantity);
}

void DirectionMapPanel::drawHover(CanvasFrame& frame, const Rect& plot, const Look& look) const {
  const auto cell = cellAt(toPoint(ImGui::GetIO().MousePos));
  if (!cell) return;
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Rect rect = viewport_.cellRect(std::uint32_t(cell->row), std::uint32_t(cell->column));
  const Rect mark = rect.expanded(std::max(1.0, (5 - rect.width()) / 2));
  list.PushClipRect(low(plot.expanded(1)), high(plot.expanded(1)), true);
  const Point middle = rect.center();
  const ImU32 hair = Rgba{255, 255, 255, 70}.abgr();
  list.AddLine({float(plot.x0), float(middle.y)}, {float(mark.x0), float(middle.y)}, hair);
  list.AddLine({float(middle.x), float(mark.y1)}, {float(middle.x), float(plot.y1)}, hair);
  frameOf(mark.expanded(1), {0, 0, 0, 160});
  frameOf(mark, {255, 255, 255, 255});
  list.PopClipRect();
  Tooltip tooltip{.title = cellTitle(map_, cell->row, cell->column)};
  for (CellFact& fact : cellFacts(map_, *compared_, cell->row, cell->column, look.epsilon))
    tooltip.rows.push_back({std::move(fact.name), std::move(fact.value), colors.text});
  tooltip.hint = "wheel: zoom · drag: move · double click: all of it";
  drawTooltip(frame, tooltip, mark, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
}

}  // namespace vitrine::ui::spectra
