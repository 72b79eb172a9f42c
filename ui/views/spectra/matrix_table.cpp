#include "ui/views/spectra/matrix_table.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/plot_frame.h"

namespace vitrine::ui::spectra {
namespace {

constexpr double kPad = kTablePad, kSwatch = 14;
constexpr std::size_t kSparkPoints = 40;
constexpr double kTooltipSeconds = 0.4;  // it is large: not for a pointer that passes by

std::string shapeText(const core::MatrixName& matrix) {
  return fmt::format("{} × {}", matrix.rows, matrix.columns);
}

void fillRow(const Rect& rect, Rgba color) {
  ImGui::GetWindowDrawList()->AddRectFilled(low(rect), high(rect), color.abgr());
}

}  // namespace

void MatrixTable::draw(CanvasFrame& frame, const Rect& area) {
  const std::vector<TableColumn> columns =
      tableColumns(area, state_.sorting().by, state_.subject(), state_.hasAdapters());
  drawHeader(frame, area, columns);
  const double height = std::max(1.0, area.height() - kHeader);
  visible_rows_ = std::max(1, int(height / kRow));
  ImGui::SetCursorScreenPos({float(area.x0), float(area.y0 + kHeader)});
  ImGui::BeginChild("matrices", {float(area.width()), float(height)}, false, ImGuiWindowFlags_NoScrollbar);
  const std::size_t rows = state_.order().size();
  if (std::exchange(shown_cursor_, state_.inspected()) != state_.inspected()) scrollToCursor(height);
  const ImVec2 top = ImGui::GetCursorScreenPos();
  ImGui::Dummy({1, float(kRow * double(rows))});
  const double scrolled = double(ImGui::GetScrollY());
  const auto first = std::size_t(std::max(0.0, scrolled / kRow));
  const std::vector<std::size_t> order = state_.order();  // a click may change it
  for (std::size_t row = first; row < std::min(rows, first + std::size_t(visible_rows_) + 2); ++row) {
    const double y = double(top.y) + kRow * double(row);
    drawRow(frame, {area.x0, y, area.x1, y + kRow}, columns, order[row]);
  }
  if (const double all = kRow * double(rows); all > height) {
    const double bar = std::max(24.0, height * height / all);
    const double at = area.y0 + kHeader + (height - bar) * scrolled / (all - height);
    ImGui::GetWindowDrawList()->AddRectFilled({float(area.x1 - 6), float(at)},
                                              {float(area.x1 - 2), float(at + bar)},
                                              frame.theme.colors.control_border.abgr(), 2);
  }
  if (rows == 0)
    drawLabel(*ImGui::GetWindowDrawList(), frame, {float(area.center().x), float(area.y0 + kHeader + 40)},
              Align::kCenter,
              {12, float(area.width() - 24), frame.theme.colors.text_secondary, LabelFont::kInterface},
              "No matrix has such a name.");
  state_.holdOrder(state_.running() && ImGui::IsWindowHovered());
  ImGui::EndChild();
}

void MatrixTable::scrollToCursor(double view_height) {
  const auto at = std::ranges::find(state_.order(), state_.inspected().value_or(SIZE_MAX));
  if (at == state_.order().end()) return;
  const double y = kRow * double(at - state_.order().begin()), scrolled = double(ImGui::GetScrollY());
  const double above = scrolled - y, below = y + kRow - scrolled - view_height;
  if (std::max(above, below) <= 0) return;
  // A step moves the rows by a step; what is far off comes to the middle.
  double to = above > 0 ? y : scrolled + below;
  if (std::max(above, below) > view_height / 2) to = y - (view_height - kRow) / 2;
  ImGui::SetScrollY(float(std::max(0.0, to)));
}

void MatrixTable::drawHeader(CanvasFrame& frame, const Rect& area, const std::vector<TableColumn>& columns) {
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Rect header{area.x0, area.y0, area.x1, area.y0 + kHeader};
  fillRow(header, colors.header);
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  for (const TableColumn& column : columns) {
    const bool named = column.metric == Metric::kName;
    const bool sorted = column.metric && *column.metric == state_.sorting().by;
    const Rect cell{column.x0 - (named ? kPad : 0), header.y0, column.x1, header.y1};
    const bool hovered = column.metric && cell.contains(mouse) && ImGui::IsWindowHovered();
    std::string text(!column.metric                         ? "spectrum"
                     : named && isProduct(state_.subject()) ? "product"
                                                            : heading(*column.metric));
    if (sorted) text += state_.sorting().descending ? " ↓" : " ↑";
    const LabelStyle style{11, float(cell.width() - 4),
                           sorted || hovered ? colors.text : colors.text_secondary, LabelFont::kInterface};
    drawLabel(list, frame, {float(named ? column.x0 : column.x1 - kPad / 2), float(header.center().y)},
              named ? Align::kLeft : Align::kRight, style, text);
    if (!hovered) continue;
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) state_.sortBy(*column.metric);
    drawTooltip(frame,
                {.title = std::string(name(*column.metric)), .hint = std::string(formula(*column.metric))},
                cell, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
  }
}

void MatrixTable::drawRow(CanvasFrame& frame, const Rect& row, const std::vector<TableColumn>& columns,
                          std::size_t matrix) {
  const Colors& colors = frame.theme.colors;
  const core::MatrixName& stored = (*state_.snapshot().matrices)[matrix];
  const core::MatrixResult& result = state_.snapshot().results[matrix];
  const bool hovered = row.contains(toPoint(ImGui::GetIO().MousePos)) && ImGui::IsWindowHovered();
  const auto series = state_.selection().find(matrix);
  if (series || hovered) fillRow(row, series ? colors.selected : colors.hover);
  if (state_.inspected() == matrix && state_.selection().series().size() > 1)
    fillRow({row.x0, row.y0, row.x0 + 2, row.y1}, colors.accent);
  const float y = float(row.center().y);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  for (const TableColumn& column : columns) {
    const float right = float(column.x1 - kPad / 2);
    if (column.metric == Metric::kName) {
      drawName(frame, row, column, matrix);
    } else if (column.metric == Metric::kShape) {
      drawLabel(list, frame, {right, y}, Align::kRight, {11, 110, colors.text_secondary}, shapeText(stored));
    } else if (column.metric && (result.report || std::isfinite(state_.valueOf(matrix, *column.metric)))) {
      drawLabel(list, frame, {right, y}, Align::kRight,
                {11, float(column.x1 - column.x0),
                 !result.report                         ? colors.text_secondary
                 : column.metric == state_.sorting().by ? colors.text
                                                        : mix(colors.text_secondary, colors.text, 0.5f)},
                state_.textOf(matrix, *column.metric));
    } else if (result.preview && !column.metric) {
      drawLabel(list, frame, {right, y}, Align::kRight,
                {11, float(column.x1 - column.x0), colors.text_disabled, LabelFont::kInterface},
                fmt::format("{} of {}", result.preview->sigma.size(), result.preview->all()));
    } else if (result.report) {
      const Rect cell{column.x0 + 10, row.y0 + 5, column.x1 - 8, row.y1 - 5};
      drawSparkline(frame, cell, *result.report,
                    series ? seriesColor(frame.theme, series->number) : colors.text_secondary);
    } else if (column.metric == Metric::kSigma1 || column.metric == Metric::kStableRank ||
               column.metric == Metric::kChange) {
      drawLabel(list, frame, {right, y}, Align::kRight,
                {11, float(column.x1 - column.x0), result.error ? colors.error : colors.text_disabled,
                 LabelFont::kInterface},
                result.error ? "refused" : "…");
    }
  }
  if (!hovered) return;
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) clicked(matrix);
  still_ = std::exchange(hovered_, matrix) == matrix ? still_ + frame.seconds : 0;
  if (still_ < kTooltipSeconds) return frame.again(kTooltipSeconds - still_);
  drawTooltip(frame, matrixTooltip(state_, matrix, colors),
              row.intersected({row.x0, 0, row.x1, double(frame.size.y)}),
              {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
}

void MatrixTable::drawName(CanvasFrame& frame, const Rect& row, const TableColumn& column,
                           std::size_t matrix) {
  const Colors& colors = frame.theme.colors;
  const auto series = state_.selection().find(matrix);
  const float y = float(row.center().y);
  double x = column.x0;
  if (series) {
    drawMarker(*ImGui::GetWindowDrawList(), series->number, {float(x + 4), y}, 4,
               seriesColor(frame.theme, series->number));
    x += kSwatch;
  }
  const bool refused = state_.snapshot().results[matrix].error != nullptr;
  drawLabel(*ImGui::GetWindowDrawList(), frame, {float(x), y}, Align::kLeft,
            {12, float(column.x1 - x - 6), refused ? colors.error : colors.text, LabelFont::kInterface},
            rowName((*state_.snapshot().matrices)[matrix].name));
}

void MatrixTable::drawSparkline(CanvasFrame&, const Rect& cell, const core::SpectrumReport& report,
                                Rgba color) {
  const std::vector<float> heights = core::sparkline(report.spectrum.sigma, kSparkPoints);
  if (heights.size() < 2 || cell.empty()) return;
  std::vector<ImVec2> points;
  for (std::size_t i = 0; i < heights.size(); ++i)
    points.push_back({float(cell.x0 + cell.width() * double(i) / double(heights.size() - 1)),
                      float(cell.y1 - cell.height() * double(heights[i]))});
  ImGui::GetWindowDrawList()->AddPolyline(points.data(), int(points.size()), color.abgr(), 0, 1.2f);
}

// Where a row was clicked the table does not move.
void MatrixTable::clicked(std::size_t matrix) {
  const ImGuiIO& io = ImGui::GetIO();
  state_.select([&](SeriesSelection& selection) {
    if (io.KeyShift)
      selection.extendTo(matrix, state_.order());
    else if (io.KeyCtrl)
      selection.toggle(matrix);
    else
      selection.choose(matrix);
  });
  shown_cursor_ = state_.inspected();
}

Tooltip matrixTooltip(const SpectraState& state, std::size_t matrix, const Colors& colors) {
  const core::MatrixName& stored = (*state.snapshot().matrices)[matrix];
  const core::MatrixResult& result = state.snapshot().results[matrix];
  Tooltip tooltip{.title = stored.name};
  const auto row = [&](std::string label, std::string value) {
    tooltip.rows.push_back({std::move(label), std::move(value), colors.text});
  };
  if (stored.product)
    row("Head", fmt::format("layer {}, head {}, kv {}", stored.product->layer, stored.product->head,
                            stored.product->kv_head));
  else
    row("Shape, type", fmt::format("{} {}", shapeText(stored), stored.dtype));
  if (result.error) {
    tooltip.hint = *result.error;
    return tooltip;
  }
  if (result.preview) {
    for (const Metric metric : {Metric::kSigma1, Metric::kStableRank, Metric::kFrobenius})
      row(std::string(name(metric)), textOf(*result.preview, metric));
    tooltip.hint = previewText(*result.preview, state.running());
    return tooltip;
  }
  if (!result.report) {
    tooltip.hint = "not computed yet";
    return tooltip;
  }
  for (const Metric metric : metricsOf(state.subject()))
    if (isNumber(metric) && (metric != Metric::kAdapterRank || state.hasAdapters()))
      row(std::string(name(metric)), state.textOf(matrix, metric));
  if (state.subject() == Subject::kWeights) {
    const core::SpectrumCertificate& certificate = result.report->spectrum.certificate;
    row("Sum of squares, error", certificate.energy == 0 ? "0" : fmt::format("{:.0e}", certificate.energy));
    row("Sturm counts", fmt::format("{} of {}", certificate.agreeing, certificate.shifts));
  }
  tooltip.hint = "click: show · Ctrl: add · Shift: up to here";
  return tooltip;
}

}  // namespace vitrine::ui::spectra
