#include "ui/views/attention/overview_panel.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::attention {
namespace {

constexpr double kRowLabels = 30, kColumnLabels = 22, kMargin = 8, kScrollbar = 12, kInset = 3;
constexpr std::uint32_t kLargestAtlas = 4096;  // device pixels a side: 64 MiB of thumbnails at most
constexpr double kRankedTile = 44;

double snapped(double value, double ratio) {
  return std::round(value * ratio) / ratio;
}

}  // namespace

double OverviewPanel::preferredWidth(const PanelContext& context, double available_width,
                                     double height) const {
  // The large map has a use for a square; the overview takes what is left beside it, within limits.
  const double most =
      std::clamp(available_width - height * 1.15, available_width * 0.3, available_width * 0.42);
  const double chrome = kRowLabels + kScrollbar + 2 * kInset;
  const double tile = tile_.value_or(comfortableTile(context.layers(), context.heads(), most - chrome,
                                                     height - kColumnLabels - kMargin - 2 * kInset));
  const double wanted = chrome + kMargin + context.heads() * (tile + 4);
  return std::clamp(std::ceil(wanted), std::min(160.0, most), most);
}

void OverviewPanel::setSort(HeadSort sort) {
  if (sort == sort_) return;
  sort_ = sort;
  scroll_to_top_ = true;  // the largest are what one asked for
}

void OverviewPanel::layOut(const PanelContext& context, double width, double height) {
  const auto summaries = context.snapshot.heads;
  const double tile = tile_.value_or(sort_ == HeadSort::kLayerHead
                                         ? comfortableTile(context.layers(), context.heads(), width, height)
                                         : kRankedTile);
  std::vector<Head> order = headOrder(
      context.layers(), context.heads(), sort_,
      summaries ? std::span<const core::HeadSummary>(*summaries) : std::span<const core::HeadSummary>());
  if (sort_ != HeadSort::kLayerHead)
    std::erase_if(order, [&](const Head& head) { return !context.hasMap(head); });
  layout_.set(std::move(order), sort_, context.heads(), tile, width);
}

std::optional<core::OverviewRequest> OverviewPanel::request(const PanelContext& context) const {
  if (layout_.count() == 0 || context.tokens() == 0) return std::nullopt;
  return core::OverviewRequest{
      .tile = thumbnailPixels(layout_.tile(), pixel_ratio_, context.layers(), context.heads(), kLargestAtlas),
      .pooling = context.settings.pooling()};
}

Rect OverviewPanel::tileArea(const Rect& area) const {
  const double labels = sort_ == HeadSort::kLayerHead ? kRowLabels : kMargin;
  return {area.x0 + labels, area.y0 + kColumnLabels, area.x1, area.y1 - kMargin};
}

bool OverviewPanel::draw(CanvasFrame& frame, const PanelContext& context, const Rect& area) {
  pixel_ratio_ = frame.pixel_ratio;
  const Rect tiles = tileArea(area);
  if (tiles.empty()) return false;
  layOut(context, tiles.width() - kScrollbar - 2 * kInset, tiles.height() - 2 * kInset);

  ImGui::SetCursorScreenPos(low(tiles));
  ImGui::BeginChild("overview", {float(tiles.width()), float(tiles.height())}, false,
                    ImGuiWindowFlags_HorizontalScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
  if (std::exchange(scroll_to_top_, false)) ImGui::SetScrollY(0);
  if (std::exchange(scroll_to_selection_, false)) scrollTo(context.selection.head(), tiles);
  const ImGuiIO& io = ImGui::GetIO();
  ImVec2 origin = ImGui::GetCursorScreenPos();
  // Inset, so that the frame around a selected tile at the edge is whole.
  origin = {float(snapped(origin.x + kInset, frame.pixel_ratio)),
            float(snapped(origin.y + kInset, frame.pixel_ratio))};
  const ImVec2 content{float(std::max(layout_.contentWidth() + 2 * kInset, 1.0)),
                       float(std::max(layout_.contentHeight() + 2 * kInset, 1.0))};
  ImGui::InvisibleButton("tiles", content);
  const bool hovered = ImGui::IsItemHovered();
  if (ImGui::IsWindowHovered()) {
    if (io.MouseWheel != 0 && io.KeyCtrl) {
      tile_ = std::clamp(layout_.tile() * std::pow(1.15, io.MouseWheel), OverviewLayout::kSmallestTile,
                         OverviewLayout::kLargestTile);
      frame.again();
    } else if (io.MouseWheel != 0 || io.MouseWheelH != 0) {
      const float step = float(layout_.rowPitch() * 2);
      ImGui::SetScrollY(ImGui::GetScrollY() - (io.KeyShift ? 0 : io.MouseWheel * step));
      ImGui::SetScrollX(ImGui::GetScrollX() - (io.MouseWheelH + (io.KeyShift ? io.MouseWheel : 0)) * step);
      frame.again();
    }
  }
  drawTiles(frame, context, origin, tiles.y0 - origin.y, tiles.y1 - origin.y);

  bool opened = false;
  std::optional<Head> hovered_head;
  const auto hit = hovered ? layout_.hit({io.MousePos.x - double(origin.x), io.MousePos.y - double(origin.y)})
                           : std::nullopt;
  if (hit) {
    hovered_head = layout_.headAt(*hit);
    if (!context.hasMap(*hovered_head)) hovered_head.reset();
  }
  if (hovered_head) {
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) context.selection.setHead(*hovered_head);
    opened = ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left);
    Rect tile = layout_.tileRect(*hit);
    tile = {tile.x0 + origin.x, tile.y0 + origin.y, tile.x1 + origin.x, tile.y1 + origin.y};
    drawHover(frame, context, tile, *hovered_head, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
  }
  if (hovered_head || was_hovered_) context.selection.hoverHead(hovered_head);
  was_hovered_ = hovered_head.has_value();
  ImGui::EndChild();
  drawLabels(frame, context, area, tiles, origin);
  return opened;
}

void OverviewPanel::drawTiles(CanvasFrame& frame, const PanelContext& context, ImVec2 origin, double top,
                              double bottom) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto picture = context.snapshot.overview;
  const Colors& colors = frame.theme.colors;
  const bool fits =
      picture && picture->image && picture->layers == context.layers() && picture->heads == context.heads();
  ImTextureID texture = fits ? frame.renderer.map(picture->image, context.paint(frame.theme)) : nullptr;
  const auto range = layout_.visible(top, bottom);
  const float side = float(layout_.tile());
  const auto corner = [&](std::uint32_t index) {
    const Rect tile = layout_.tileRect(index);
    return ImVec2{origin.x + float(tile.x0), origin.y + float(tile.y0)};
  };
  for (std::uint32_t index = range.first; index < range.last; ++index) {
    const Head head = layout_.headAt(index);
    const ImVec2 at = corner(index), end{at.x + side, at.y + side};
    if (!context.hasMap(head)) {
      // A layer without attention keeps its row, and says what it is instead.
      if (head.head == 0)
        drawLabel(list, frame, {at.x, at.y + side / 2}, Align::kLeft,
                  {11, float(layout_.contentWidth()), colors.text_secondary, LabelFont::kInterface},
                  context.snapshot.model->layer_kinds[head.layer].mixer);
      continue;
    }
    if (!fits) {
      list.AddRectFilled(at, end, colors.field.withAlpha(120).abgr());
      continue;
    }
    const float u = 1.0f / float(picture->heads), v = 1.0f / float(picture->layers);
    list.AddImage(texture, at, end, {float(head.head) * u, float(head.layer) * v},
                  {float(head.head + 1) * u, float(head.layer + 1) * v});
  }
  const auto outline = [&](Head head, Rgba color, float thickness) {
    const auto index = layout_.indexOf(head);
    if (!index) return;
    const ImVec2 at = corner(*index);
    const float out = 1 + thickness / 2;
    list.AddRect({at.x - out, at.y - out}, {at.x + side + out, at.y + side + out}, color.abgr(), 3, 0,
                 thickness);
  };
  if (const auto hovered = context.selection.hoveredHead()) outline(*hovered, colors.text_secondary, 1);
  outline(context.selection.head(), colors.query, 2);
  if (!layout_.captions()) return;
  for (std::uint32_t index = range.first; index < range.last; ++index) {
    const Head head = layout_.headAt(index);
    const ImVec2 at = corner(index);
    const bool selected = head == context.selection.head();
    drawText(list, frame.fonts.monoSmall(), {at.x + side / 2, at.y + side + 8}, Align::kCenter,
             selected ? colors.query : colors.text_secondary, fmt::format("{}.{}", head.layer, head.head));
  }
}

void OverviewPanel::drawLabels(CanvasFrame& frame, const PanelContext& context, const Rect& area,
                               const Rect& tiles, ImVec2 origin) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Colors& colors = frame.theme.colors;
  ImFont* font = frame.fonts.header();
  const double half = layout_.tile() / 2;
  if (layout_.ranked()) {
    drawText(list, font, {float(area.x0 + kMargin), float(tiles.y0 - 10)}, Align::kLeft,
             colors.text_secondary, fmt::format("By {}, largest first", name(sort_)));
    return;
  }
  const Head selected = context.selection.head();
  list.PushClipRect({float(tiles.x0), float(area.y0)}, {float(tiles.x1), float(tiles.y0)}, true);
  for (std::uint32_t column = 0; column < layout_.columns(); ++column)
    drawText(list, font, {float(origin.x + column * layout_.columnPitch() + half), float(tiles.y0 - 9)},
             Align::kCenter, column == selected.head ? colors.query : colors.text_secondary,
             fmt::format("{}", column));
  list.PopClipRect();
  list.PushClipRect({float(area.x0), float(tiles.y0)}, {float(tiles.x0), float(tiles.y1)}, true);
  for (std::uint32_t row = 0; row < layout_.rows(); ++row)
    drawText(list, font, {float(tiles.x0 - 7), float(origin.y + row * layout_.rowPitch() + half)},
             Align::kRight, row == selected.layer ? colors.query : colors.text_secondary,
             fmt::format("{}", row));
  list.PopClipRect();
}

void OverviewPanel::drawHover(CanvasFrame& frame, const PanelContext& context, const Rect& tile, Head head,
                              const Rect& bounds) {
  Tooltip tooltip{.title = headName(*context.snapshot.model, head)};
  const auto summaries = context.snapshot.heads;
  const std::size_t index = std::size_t(head.layer) * context.heads() + head.head;
  if (summaries && index < summaries->size()) {
    const core::HeadSummary& summary = (*summaries)[index];
    const Rgba color = frame.theme.colors.text;
    tooltip.rows = {{"Mean entropy", number(summary.entropy) + " bit", color},
                    {"Mass on first token", number(summary.first_mass), color},
                    {"Mass on last 8 keys", number(summary.local_mass), color},
                    {"Mass on previous token", number(summary.previous), color},
                    {"Induction score", number(summary.induction), color}};
  }
  tooltip.hint = "click: select · double click: full size";
  drawTooltip(frame, tooltip, tile, bounds);
}

void OverviewPanel::move(Selection& selection, Direction direction) {
  selection.setHead(layout_.neighbour(selection.head(), direction));
  scroll_to_selection_ = true;
}

void OverviewPanel::scrollTo(Head head, const Rect& tiles) {
  const auto index = layout_.indexOf(head);
  if (!index) return;
  const Rect tile = layout_.tileRect(*index);
  const auto into = [](double scroll, double first, double last, double room) {
    if (first < scroll) return first;
    return last > scroll + room ? last - room : scroll;
  };
  ImGui::SetScrollX(float(into(ImGui::GetScrollX(), tile.x0 - 4, tile.x1 + 4, tiles.width() - kScrollbar)));
  ImGui::SetScrollY(float(into(ImGui::GetScrollY(), tile.y0 - 4, tile.y1 + 4, tiles.height() - kScrollbar)));
}

}  // namespace vitrine::ui::attention
