#include "ui/views/spectra/profile_plot.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr double kReach = 14;  // pixels from the pointer to a point

std::string capitalized(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = char(result[0] - 'a' + 'A');
  return result;
}

std::string leftOutNote(const std::vector<std::string>& kinds) {
  if (kinds.empty()) return "";
  return fmt::format("{} more kind{}: filter to see them", kinds.size(), kinds.size() == 1 ? "" : "s");
}

}  // namespace

core::ValueScale profileScale(double low, double high) {
  if (low > 0 && high / low > 100) return {core::AxisScale::kLog, low / 1.3, high * 1.3};
  if (!(high > 0)) return {core::AxisScale::kLinear, std::min(low, 0.0), 1};
  const bool from_zero = low < 0.6 * high;
  const double room = 0.08 * (from_zero ? high : std::max(high - low, 0.05 * high));
  return {core::AxisScale::kLinear, from_zero ? 0 : low - room, high + room};
}

void ProfilePlot::draw(CanvasFrame& frame, const Rect& area) {
  const LayerProfile& profile = state_.profile();
  const Metric metric = state_.profileMetric();
  std::vector<LegendEntry> entries;
  for (const ProfileSeries& series : profile.series) entries.push_back({series.number, series.kind, false});
  PlotArea plot{
      plotRect(area, legendRows(frame, area, entries)), {}, profileScale(profile.low, profile.high)};
  const double layers = double(profile.last_layer) - double(profile.first_layer);
  plot.x.low = double(profile.first_layer) - (layers > 0 ? 0 : 0.5);
  plot.x.high = plot.x.low + std::max(1.0, layers);
  drawAxes(frame, area, plot,
           {.title = capitalized(name(metric)) + " by layer" +
                     (isProduct(state_.subject()) ? ": mean and each head" : ""),
            .note = leftOutNote(profile.left_out),
            .x_label = "layer",
            .y_label = std::string(name(metric))});
  const auto hovered = drawLegend(frame, area, entries);
  if (plot.rect.width() < 40 || plot.rect.height() < 30) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (profile.empty()) {
    drawLabel(
        list, frame, toIm(plot.rect.center()), Align::kCenter,
        {12, float(plot.rect.width()), frame.theme.colors.text_secondary, LabelFont::kInterface},
        state_.running() ? "Nothing of a layer has been computed yet." : "No matrix of a layer is shown.");
    return;
  }
  drawLayer(frame, plot);
  for (std::size_t i = 0; i < profile.series.size(); ++i)
    drawSeries(frame, plot, profile.series[i], hovered && *hovered != i);
  drawHover(frame, plot);
}

// From the least to the most of each layer's points.
void ProfilePlot::drawBand(const PlotArea& plot, const ProfileSeries& series, Rgba color) const {
  std::vector<core::LayerSpan> spans = core::layerSpans(valuesOf(series));
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto at = [&](const core::LayerSpan& span, double value) { return toIm(plot.at(span.layer, value)); };
  for (std::size_t i = 0; i + 1 < spans.size(); ++i)
    list.AddQuadFilled(at(spans[i], spans[i].high), at(spans[i + 1], spans[i + 1].high),
                       at(spans[i + 1], spans[i + 1].low), at(spans[i], spans[i].low), color.abgr());
}

// Of several points of a layer (heads, experts) the line takes the mean, in a band of all of them.
void ProfilePlot::drawSeries(CanvasFrame& frame, const PlotArea& plot, const ProfileSeries& series,
                             bool dimmed) const {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  Rgba color = seriesColor(frame.theme, series.number);
  if (dimmed) color = color.withAlpha(50);
  const std::vector<core::LayerSpan> spans = core::layerSpans(valuesOf(series));
  std::vector<ImVec2> path;
  for (const core::LayerSpan& span : spans) path.push_back(toIm(plot.at(span.layer, span.mean)));
  const bool several = spans.size() < series.points.size();
  if (several) drawBand(plot, series, color.withAlpha(dimmed ? 10 : 28));
  list.AddPolyline(path.data(), int(path.size()), color.abgr(), 0, several ? 2.0f : 1.4f);
  const bool crowded = path.size() * 7 > std::size_t(plot.rect.width());
  for (const ProfilePoint& point : series.points) {
    const ImVec2 at = toIm(plot.at(point.layer, point.value));
    const auto selected = state_.selection().find(point.matrix);
    // Of several of a kind the selected ones are told apart as in the plot above.
    const std::size_t number = selected && several ? selected->number : series.number;
    if (point.preview)
      list.AddCircle(at, selected ? 5 : 3.5f, color.abgr(), 0, 1.2f);
    else if (selected || (!several && !crowded))
      drawMarker(list, number, at, selected ? 5 : 3.5f, selected ? seriesColor(frame.theme, number) : color);
    else if (several)
      list.AddCircleFilled(at, crowded ? 1.2f : 1.8f, color.withAlpha(dimmed ? 30 : 130).abgr());
    if (selected) list.AddCircle(at, 8, frame.theme.colors.text.abgr(), 0, 1.2f);
  }
}

// The layer that is selected in the other views.
void ProfilePlot::drawLayer(CanvasFrame& frame, const PlotArea& plot) const {
  if (selection_.layers() == 0) return;
  const Colors& colors = frame.theme.colors;
  const std::uint32_t layer = selection_.head().layer;
  if (layer < state_.profile().first_layer || layer > state_.profile().last_layer) return;
  const float x = float(std::round(plot.at(layer, plot.y.low).x));
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddLine({x, float(plot.rect.y0)}, {x, float(plot.rect.y1)}, colors.query.withAlpha(110).abgr());
  list.AddRectFilled({x - 1.5f, float(plot.rect.y1)}, {x + 1.5f, float(plot.rect.y1 + 5)},
                     colors.query.abgr());
}

void ProfilePlot::drawHover(CanvasFrame& frame, const PlotArea& plot) {
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!plot.rect.expanded(kReach / 2).contains(mouse) || !ImGui::IsWindowHovered()) return;
  const ProfileSeries* nearest = nullptr;
  ProfilePoint found;
  double least = kReach * kReach;
  for (const ProfileSeries& series : state_.profile().series)
    for (const ProfilePoint& point : series.points) {
      const Point at = plot.at(point.layer, point.value);
      const double distance = (at.x - mouse.x) * (at.x - mouse.x) + (at.y - mouse.y) * (at.y - mouse.y);
      if (distance >= least) continue;
      least = distance;
      nearest = &series;
      found = point;
    }
  if (!nearest) return;
  const Colors& colors = frame.theme.colors;
  const Point at = plot.at(found.layer, found.value);
  ImGui::GetWindowDrawList()->AddCircle(toIm(at), 8, colors.text.abgr(), 0, 1.5f);
  const Metric metric = state_.profileMetric();
  const auto& product = (*state_.snapshot().matrices)[found.matrix].product;
  drawTooltip(frame,
              {.title = fmt::format("Layer {} · {}", found.layer,
                                    product ? fmt::format("head {}", product->head) : nearest->kind),
               .rows = {{std::string(name(metric)), state_.textOf(found.matrix, metric),
                         seriesColor(frame.theme, nearest->number)},
                        {"σ₁", state_.textOf(found.matrix, Metric::kSigma1), colors.text}},
               .hint = "click: show its spectrum · Ctrl: add"},
              {at.x - 9, at.y - 9, at.x + 9, at.y + 9}, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
  if (!ImGui::IsMouseClicked(ImGuiMouseButton_Left)) return;
  const bool add = ImGui::GetIO().KeyCtrl;
  state_.select([&](SeriesSelection& selection) {
    add ? selection.toggle(found.matrix) : selection.choose(found.matrix);
  });
}

}  // namespace vitrine::ui::spectra
