#include "ui/views/spectra/live_plots.h"

#include <algorithm>
#include <cmath>

#include "ui/views/spectra/profile_plot.h"

namespace vitrine::ui::spectra {
namespace {

constexpr double kLabelSide = 16;
constexpr double kNear = 14;  // pixels from the pointer to a point

void polyline(const PlotArea& plot, std::span<const std::pair<double, double>> points, Rgba color,
              float width) {
  std::vector<ImVec2> path;
  for (const auto& [x, y] : points) path.push_back(toIm(plot.at(x, y)));
  ImGui::GetWindowDrawList()->AddPolyline(path.data(), int(path.size()), color.abgr(), 0, width);
}

void sentence(CanvasFrame& frame, const Rect& area, const std::string& text, Rgba color) {
  drawLabel(*ImGui::GetWindowDrawList(), frame, toIm(area.center()), Align::kCenter,
            {12, float(area.width() - 2 * kLabelSide), color, LabelFont::kInterface}, text);
}

// Beneath the largest value: as far as a Gram matrix in double precision tells.
core::ValueScale sigmaScale(std::span<const float> sigma, double highest) {
  double least = highest;
  for (const float s : sigma)
    if (s > 3e-8 * highest) least = std::min(least, double(s));
  return {core::AxisScale::kLog, least / 1.5, highest * 1.5};
}

}  // namespace

void LivePlots::drawRanks(CanvasFrame& frame, const Rect& area) const {
  const Colors& colors = frame.theme.colors;
  const std::size_t row = shown_.row, head = shown_.head;
  const std::vector<LegendEntry> entries{{kEffectiveColor, "effective rank", false},
                                         {kStableColor, "stable rank", false}};
  const auto points = shown_.series.points(row, head);
  if (points.empty()) {
    const auto& rows = shown_.series.newest()->layers;
    std::string why = "There is nothing of this layer.";
    if (row < rows.size() && !rows[row].none.empty()) why = rows[row].none;
    if (const core::StreamSpectrum* refused = shown_.spectrum) why = refused->refused;
    return sentence(frame, area, why, colors.text_secondary);
  }
  double highest = 1, lowest = 1e300;
  std::vector<std::vector<std::pair<double, double>>> others;
  const auto& layers = shown_.series.newest()->layers;
  const std::size_t heads = row < layers.size() ? layers[row].heads.size() : 0;
  for (std::size_t other = 0; other < heads; ++other) {
    auto& path = others.emplace_back();
    for (const LivePoint& point : shown_.series.points(row, other)) {
      path.emplace_back(point.tokens, point.effective);
      highest = std::max({highest, point.effective, point.stable});
      lowest = std::min({lowest, point.effective, point.stable});
    }
  }
  PlotArea plot{
      plotRect(area, legendRows(frame, area, entries)), {}, profileScale(std::min(lowest, highest), highest)};
  plot.x.low = points.size() < 2 ? 0 : points.front().tokens;
  plot.x.high = std::max(plot.x.low + 1, double(points.back().tokens));
  drawAxes(frame, area, plot,
           {.title = "Ranks",
            .note = name(shown_.of) + ", " + shown_.name,
            .x_label = "tokens read",
            .y_label = "rank"});
  drawLegend(frame, area, entries);
  if (plot.rect.width() < 40 || plot.rect.height() < 30) return;
  for (std::size_t other = 0; other < others.size(); ++other)
    if (other != head)
      polyline(plot, others[other], seriesColor(frame.theme, kEffectiveColor).withAlpha(90), 1);
  std::vector<std::pair<double, double>> effective, stable;
  for (const LivePoint& point : points) {
    effective.emplace_back(point.tokens, point.effective);
    stable.emplace_back(point.tokens, point.stable);
  }
  polyline(plot, stable, seriesColor(frame.theme, kStableColor), 1.6f);
  polyline(plot, effective, seriesColor(frame.theme, kEffectiveColor), 1.6f);
  if (points.size() * 10 < std::size_t(plot.rect.width()))
    for (const LivePoint& point : points) {
      ImDrawList& list = *ImGui::GetWindowDrawList();
      drawMarker(list, kStableColor, toIm(plot.at(point.tokens, point.stable)), 3,
                 seriesColor(frame.theme, kStableColor));
      drawMarker(list, kEffectiveColor, toIm(plot.at(point.tokens, point.effective)), 3,
                 seriesColor(frame.theme, kEffectiveColor));
    }
  if (const auto query = selection_.query(); query && *query + 1 >= plot.x.low && *query + 1 <= plot.x.high) {
    const float x = float(std::round(plot.at(*query + 1, plot.y.low).x));
    ImGui::GetWindowDrawList()->AddLine({x, float(plot.rect.y0)}, {x, float(plot.rect.y1)},
                                        colors.query.withAlpha(110).abgr());
  }
  drawRankHover(frame, plot, points);
}

void LivePlots::drawRankHover(CanvasFrame& frame, const PlotArea& plot,
                              std::span<const LivePoint> points) const {
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!plot.rect.expanded(kNear / 2).contains(mouse) || !ImGui::IsWindowHovered()) return;
  const auto nearest = std::ranges::min_element(points, {}, [&](const LivePoint& point) {
    return std::abs(plot.at(point.tokens, plot.y.low).x - mouse.x);
  });
  const Point at = plot.at(nearest->tokens, nearest->effective);
  ImGui::GetWindowDrawList()->AddCircle(toIm(at), 7, frame.theme.colors.text.abgr(), 0, 1.5f);
  drawTooltip(
      frame,
      {.title = fmt::format("After {} tokens", nearest->tokens),
       .rows = {{"effective rank", number(nearest->effective), seriesColor(frame.theme, kEffectiveColor)},
                {"stable rank", number(nearest->stable), seriesColor(frame.theme, kStableColor)}},
       .hint = "click: lock this token"},
      {at.x - 9, at.y - 9, at.x + 9, at.y + 9}, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) selection_.lockQuery(nearest->tokens - 1);
}

void LivePlots::drawValues(CanvasFrame& frame, const Rect& area) const {
  const Colors& colors = frame.theme.colors;
  const core::StreamSpectrum* spectrum = shown_.spectrum;
  PlotArea plot{plotRect(area, 0), {}, {}};
  if (!spectrum || spectrum->sigma.empty() || !(spectrum->sigma.front() > 0))
    return sentence(frame, area, spectrum ? spectrum->refused : "There are no singular values of this layer.",
                    spectrum ? colors.error : colors.text_secondary);
  double highest = 0;
  for (const auto& head : shown_.series.newest()->layers[shown_.row].heads)
    if (!head.sigma.empty()) highest = std::max(highest, double(head.sigma.front()));
  plot.y = sigmaScale(spectrum->sigma, highest);
  plot.x = {core::AxisScale::kLinear, 1, std::max(2.0, double(spectrum->sigma.size()))};
  drawAxes(frame, area, plot,
           {.title = "Singular values now",
            .note = spectrum->sketch ? "of a sketch: band to the upper bound" : shown_.name,
            .x_label = "number",
            .y_label = "singular value"});
  if (plot.rect.width() < 40 || plot.rect.height() < 30) return;
  const auto path = [](const core::StreamSpectrum& of) {
    std::vector<std::pair<double, double>> points;
    for (std::size_t i = 0; i < of.sigma.size(); ++i) points.emplace_back(double(i + 1), of.sigma[i]);
    return points;
  };
  const Rgba color = seriesColor(frame.theme, kEffectiveColor);
  for (const auto& head : shown_.series.newest()->layers[shown_.row].heads)
    if (&head != spectrum) polyline(plot, path(head), color.withAlpha(90), 1);
  if (spectrum->sketch)
    for (std::size_t i = 0; i < spectrum->sigma.size(); ++i) {
      const double s = spectrum->sigma[i];
      const ImVec2 from = toIm(plot.at(double(i + 1), s));
      ImGui::GetWindowDrawList()->AddLine(from,
                                          toIm(plot.at(double(i + 1), std::sqrt(s * s + spectrum->slack))),
                                          color.withAlpha(90).abgr(), 2);
    }
  polyline(plot, path(*spectrum), color, 1.6f);
  drawValueHover(frame, plot, *spectrum);
}

void LivePlots::drawValueHover(CanvasFrame& frame, const PlotArea& plot,
                               const core::StreamSpectrum& spectrum) const {
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!plot.rect.expanded(kNear / 2).contains(mouse) || !ImGui::IsWindowHovered()) return;
  const double share = std::clamp((mouse.x - plot.rect.x0) / plot.rect.width(), 0.0, 1.0);
  const double place = plot.x.low + share * (plot.x.high - plot.x.low);
  const auto i = std::min(spectrum.sigma.size() - 1, std::size_t(std::lround(std::max(1.0, place))) - 1);
  const double sigma = spectrum.sigma[i];
  const Point at = plot.at(double(i + 1), sigma);
  ImGui::GetWindowDrawList()->AddCircle(toIm(at), 7, frame.theme.colors.text.abgr(), 0, 1.5f);
  std::vector<TooltipRow> rows{{"σ", number(sigma), seriesColor(frame.theme, kEffectiveColor)},
                               {"of σ₁", number(sigma / spectrum.sigma.front()), frame.theme.colors.text}};
  if (spectrum.sketch)
    rows.push_back({"at most", number(std::sqrt(sigma * sigma + spectrum.slack)), frame.theme.colors.text});
  drawTooltip(frame, {.title = fmt::format("Singular value {}", i + 1), .rows = std::move(rows), .hint = ""},
              {at.x - 9, at.y - 9, at.x + 9, at.y + 9}, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
}

}  // namespace vitrine::ui::spectra
