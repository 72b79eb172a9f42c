#include "ui/views/spectra/counts_panel.h"

#include "core/figure/colormap.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr double kTitleHeight = 32, kLeftRoom = 58, kBelowRoom = 38, kRightRoom = 16;
constexpr double kWidestCell = 72, kHighestCell = 34;

void countText(CanvasFrame& frame, ImVec2 at, Align align, Rgba color, const std::string& text,
               double width = 300) {
  drawLabel(*ImGui::GetWindowDrawList(), frame, at, align, {11, float(width), color, LabelFont::kInterface},
            text);
}

Rgba inkFor(core::Rgb8 ground) {
  const double luminance = 0.2126 * ground.r + 0.7152 * ground.g + 0.0722 * ground.b;
  return luminance > 120 ? Rgba{16, 16, 20, 255} : Rgba{236, 238, 242, 255};
}

std::size_t directionsAmong(const core::MatrixComparison& comparison, std::size_t k) {
  return std::min(k, std::size_t(comparison.best_match.size()));
}

}  // namespace

Rect CountsLayout::cell(std::size_t row, std::size_t column) const {
  const double width = cells.width() / double(columns), height = cells.height() / double(rows);
  return {std::round(cells.x0 + width * double(column)), std::round(cells.y0 + height * double(row)),
          std::round(cells.x0 + width * double(column + 1)), std::round(cells.y0 + height * double(row + 1))};
}

CountsLayout countsLayout(const Rect& area, const core::MatrixComparison& comparison) {
  CountsLayout layout{.rows = comparison.intruder_epsilon.size(), .columns = comparison.intruder_k.size()};
  if (layout.rows == 0 || layout.columns == 0) return layout;
  layout.cells = {area.x0 + kLeftRoom, area.y0 + kTitleHeight, area.x1 - kRightRoom, area.y1 - kBelowRoom};
  layout.cells.x1 = std::min(layout.cells.x1, layout.cells.x0 + kWidestCell * double(layout.columns));
  layout.cells.y1 = std::min(layout.cells.y1, layout.cells.y0 + kHighestCell * double(layout.rows));
  return layout;
}

IntruderTotal intruderTotal(const SpectraState& state) {
  IntruderTotal total;
  for (const std::size_t row : state.order())
    if (const core::MatrixComparison* comparison = state.comparisonOf(row)) {
      const IntruderRule rule = state.rule();
      total.intruders += std::size_t(core::intrudersAt(*comparison, rule.first, rule.epsilon));
      total.directions += directionsAmong(*comparison, rule.first);
      ++total.matrices;
    }
  return total;
}

void CountsPanel::draw(CanvasFrame& frame, const Rect& area, core::ColormapId colormap) {
  const Colors& colors = frame.theme.colors;
  const core::MatrixComparison* comparison = state_.inspectedComparison();
  const std::string title = "Intruders";
  drawLabel(*ImGui::GetWindowDrawList(), frame, {float(area.x0 + 16), float(area.y0 + 18)}, Align::kLeft,
            {13, float(area.width()) - 32, colors.text, LabelFont::kInterface}, title);
  const IntruderTotal total = intruderTotal(state_);
  const double wide = double(textSize(frame.fonts.interface(), title).x);
  if (const double room = area.width() - wide - 48; total.matrices > 1 && room > 60)
    countText(frame, {float(area.x1 - 16), float(area.y0 + 18)}, Align::kRight, colors.text_secondary,
              fmt::format("all rows: {} of {}", total.intruders, total.directions), room);
  if (!comparison) {
    countText(frame, toIm(area.center()), Align::kCenter, colors.text_secondary, "Not compared yet.");
    return;
  }
  const CountsLayout layout = countsLayout(area, *comparison);
  if (layout.cells.width() < 60 || layout.cells.height() < 60) return;
  drawCells(frame, layout, *comparison, colormap);
  drawLabels(frame, area, layout, *comparison);
  drawHover(frame, layout, *comparison);
}

void CountsPanel::drawCells(CanvasFrame& frame, const CountsLayout& layout,
                            const core::MatrixComparison& comparison, core::ColormapId colormap) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const IntruderRule rule = state_.rule();
  std::optional<Rect> chosen;
  for (std::size_t row = 0; row < layout.rows; ++row)
    for (std::size_t column = 0; column < layout.columns; ++column) {
      const Rect rect = layout.cell(row, column);
      const int count = comparison.intruders(Eigen::Index(row), Eigen::Index(column));
      const double share = count / double(directionsAmong(comparison, comparison.intruder_k[column]));
      const core::Rgb8 color = core::sampleColormap(colormap, share);
      list.AddRectFilled(low(rect), {float(rect.x1 - 1), float(rect.y1 - 1)},
                         Rgba{color.r, color.g, color.b, 255}.abgr());
      if (rect.height() >= 13)
        drawText(list, frame.fonts.monoSmall(), toIm(rect.center()), Align::kCenter, inkFor(color),
                 std::to_string(count));
      if (comparison.intruder_k[column] == rule.first &&
          std::abs(comparison.intruder_epsilon[row] - rule.epsilon) < 1e-6)
        chosen = rect;
    }
  if (!chosen) return;
  list.AddRect({float(chosen->x0 - 1), float(chosen->y0 - 1)}, high(*chosen), frame.theme.colors.text.abgr(),
               0, 0, 2);
}

void CountsPanel::drawLabels(CanvasFrame& frame, const Rect& area, const CountsLayout& layout,
                             const core::MatrixComparison& comparison) const {
  const Colors& colors = frame.theme.colors;
  for (std::size_t row = 0; row < layout.rows; ++row)
    countText(frame, {float(layout.cells.x0 - 6), float(layout.cell(row, 0).center().y)}, Align::kRight,
              colors.text_secondary, fmt::format("{:.1f}", comparison.intruder_epsilon[row]));
  for (std::size_t column = 0; column < layout.columns; ++column)
    countText(frame, {float(layout.cell(0, column).center().x), float(layout.cells.y1 + 10)}, Align::kCenter,
              colors.text_secondary, std::to_string(comparison.intruder_k[column]));
  countText(frame, {float(layout.cells.center().x), float(layout.cells.y1 + 26)}, Align::kCenter,
            colors.text_secondary, "strongest tuned directions k", layout.cells.width() + 60);
  const std::string rows = "matched less than ε";
  const LabelStyle style{11, float(layout.cells.height()), colors.text_secondary, LabelFont::kInterface};
  const float length = frame.labels.get(rows, 11, style.max_width, LabelFont::kInterface).width;
  drawLabelDown(*ImGui::GetWindowDrawList(), frame,
                {float(area.x0 + 16), float(layout.cells.center().y) - length / 2}, style, rows);
}

void CountsPanel::drawHover(CanvasFrame& frame, const CountsLayout& layout,
                            const core::MatrixComparison& comparison) {
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!layout.cells.contains(mouse) || !ImGui::IsWindowHovered()) return;
  const auto row = std::min(layout.rows - 1, std::size_t((mouse.y - layout.cells.y0) / layout.cells.height() *
                                                         double(layout.rows)));
  const auto column =
      std::min(layout.columns - 1,
               std::size_t((mouse.x - layout.cells.x0) / layout.cells.width() * double(layout.columns)));
  const std::size_t k = comparison.intruder_k[column];
  const double epsilon = comparison.intruder_epsilon[row];
  const Rect rect = layout.cell(row, column);
  const Colors& colors = frame.theme.colors;
  ImGui::GetWindowDrawList()->AddRect(low(rect), high(rect), colors.text.abgr());
  const auto at = [&](const Eigen::MatrixXi& counts) {
    return fmt::format("{} of {}", counts(Eigen::Index(row), Eigen::Index(column)),
                       directionsAmong(comparison, k));
  };
  drawTooltip(frame,
              {.title = fmt::format("k = {}, ε = {:.1f}", k, epsilon),
               .rows = {{"intruders", at(comparison.intruders), colors.text},
                        {"as published, without clusters", at(comparison.intruders_single), colors.text}},
               .hint = "click: count by this k and ε everywhere"},
              rect, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) state_.setRule({k, epsilon});
}

}  // namespace vitrine::ui::spectra
