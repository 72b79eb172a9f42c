#include "ui/views/spectra/spectrum_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace vitrine::ui::spectra {
namespace {

constexpr float kLineWidth = 1.6f;
constexpr double kShares[] = {0.9, 0.99};

std::vector<ImVec2> pathOf(const PlotArea& plot, const core::Curve& curve, std::size_t first,
                           std::size_t last) {
  std::vector<ImVec2> path;
  if (first >= last) return path;
  for (const std::size_t i : core::thinned(last - first, std::size_t(plot.rect.width()) * 2))
    path.push_back(toIm(plot.at(curve.x[first + i], curve.y[first + i])));
  return path;
}

// Where the markers stand that tell curves apart without colours.
std::vector<std::size_t> markerPlaces(const PlotArea& plot, const core::Curve& curve, std::size_t number) {
  std::vector<std::size_t> places;
  const double pixels = plot.rect.width() / std::max(1.0, plot.x.high - plot.x.low);
  const auto step = std::max<std::size_t>(1, std::size_t(90 / std::max(1e-9, pixels)));
  for (std::size_t i = step / 2 + step * number / kMostSeries; i < curve.certain; i += step)
    places.push_back(i);
  return places;
}

// Of a text of this size: the place beside a horizontal line, or in the upper right corner, with the fewest
// points of the curves.
Rect freestPlace(const PlotArea& plot, double y, double width, double height,
                 std::span<const core::Curve> curves) {
  std::vector<Rect> places;
  const auto add = [&](double along, double middle) {
    const double x = plot.rect.x0 + 6 + along * std::max(0.0, plot.rect.width() - width - 12);
    places.push_back({x, middle - height / 2, x + width, middle + height / 2});
  };
  for (const double above : {1.0, -1.0})
    for (const double along : {1.0, 0.75, 0.5, 0.25, 0.0}) add(along, y - above * (height / 2 + 2));
  add(1, plot.rect.y0 + height / 2 + 2);
  Rect best;
  std::size_t fewest = SIZE_MAX;
  for (const Rect& place : places) {
    if (place.y0 < plot.rect.y0 || place.y1 > plot.rect.y1) continue;
    std::size_t inside = 0;
    for (const core::Curve& curve : curves)
      for (const ImVec2& at : pathOf(plot, curve, 0, curve.y.size()))
        inside += place.expanded(3).contains(toPoint(at));
    if (inside >= fewest) continue;
    fewest = inside;
    best = place;
  }
  return best;
}

}  // namespace

std::vector<SpectrumPlot::Shown> SpectrumPlot::shownCurves(core::DensityBins& bins) const {
  std::vector<Shown> shown;
  std::vector<const core::SpectrumReport*> reports;
  for (const Series& series : state_.selection().series())
    if (auto report = state_.reportOf(series.matrix)) {
      reports.push_back(report.get());
      shown.push_back({series, std::move(report), {}, state_.companionOf(series.matrix), {}});
    }
  bins = binsFor(reports);
  const auto curve = [&](const core::SpectrumReport& report) {
    return state_.mode() == core::PlotMode::kDensity ? densityOf(report, bins)
                                                     : curveOf(report, state_.mode());
  };
  for (Shown& one : shown) {
    one.curve = curve(*one.report);
    if (one.companion) one.beside = curve(*one.companion);
  }
  return shown;
}

std::vector<SpectrumPlot::Previewed> SpectrumPlot::previewedCurves() const {
  std::vector<Previewed> previewed;
  for (const Series& series : state_.selection().series())
    if (auto preview = state_.previewOf(series.matrix)) {
      core::Curve curve = core::curveOf(*preview, state_.mode());
      if (!curve.y.empty()) previewed.push_back({series, std::move(preview), std::move(curve)});
    }
  return previewed;
}

std::vector<LegendEntry> SpectrumPlot::legend() const {
  std::vector<LegendEntry> entries;
  for (const Series& series : state_.selection().series())
    entries.push_back({series.number, rowName((*state_.snapshot().matrices)[series.matrix].name),
                       !state_.reportOf(series.matrix) && !state_.previewOf(series.matrix)});
  return entries;
}

std::string_view SpectrumPlot::companionName() const {
  return state_.subject() == Subject::kComparison ? "base" : "shuffled elements";
}

std::string SpectrumPlot::nothingText() const {
  if (state_.selection().empty()) return "Choose matrices in the table.";
  const bool preview = std::ranges::any_of(state_.selection().series(), [&](const Series& series) {
    return state_.previewOf(series.matrix) != nullptr;
  });
  return preview ? "A density takes all values: so far there is a preview." : "Not computed yet.";
}

std::string SpectrumPlot::note(const std::vector<Shown>& shown, const std::vector<Previewed>& previewed,
                               const core::DensityBins& bins) const {
  if (!previewed.empty())
    return fmt::format("○ preview: first {} of {}, bars: residuals", previewed.front().preview->sigma.size(),
                       previewed.front().preview->all());
  if (shown.empty()) return "";
  if (state_.mode() == core::PlotMode::kDensity) {
    std::size_t beyond = 0;
    for (const Shown& one : shown) beyond += valuesBeyond(*one.report, bins);
    return beyond == 0
               ? ""
               : fmt::format("{} value{} beyond {}", beyond, beyond == 1 ? "" : "s", number(bins.high));
  }
  const bool beside = std::ranges::any_of(shown, [](const Shown& one) { return one.companion != nullptr; });
  if (beside) return fmt::format("dashed: {}", companionName());
  if (!state_.missingNulls().empty()) return "shuffling ..";
  const bool blurred =
      std::ranges::any_of(shown, [](const Shown& one) { return one.curve.certain < one.curve.y.size(); });
  return blurred ? "dimmed: below what can be told from 0" : "";
}

void SpectrumPlot::draw(CanvasFrame& frame, const Rect& area) {
  core::DensityBins bins;
  const std::vector<Shown> shown = shownCurves(bins);
  const std::vector<Previewed> previewed = previewedCurves();
  std::vector<core::Curve> curves;
  for (const Previewed& one : previewed) curves.push_back(one.curve);
  for (const Shown& one : shown) {
    curves.push_back(one.curve);
    if (one.companion) curves.push_back(one.beside);
  }
  if (state_.mode() == core::PlotMode::kDensity && !shown.empty())
    curves.push_back(noiseDensityOf(*shown.front().report, bins));
  const core::PlotScales scales = scalesFor(curves, state_.mode());
  const std::vector<LegendEntry> entries = legend();
  const PlotArea plot{plotRect(area, legendRows(frame, area, entries)), scales.x, scales.y};
  drawAxes(frame, area, plot,
           {.title = std::string(title(state_.mode())),
            .note = note(shown, previewed, bins),
            .x_label = std::string(places(state_.mode())),
            .y_label = std::string(quantity(state_.mode())),
            .whole_x = state_.mode() != core::PlotMode::kDensity});
  drawLegend(frame, area, entries);
  if (plot.rect.width() < 40 || plot.rect.height() < 30) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (shown.empty() && previewed.empty()) {
    drawLabel(list, frame, toIm(plot.rect.center()), Align::kCenter,
              {12, float(plot.rect.width()), frame.theme.colors.text_secondary, LabelFont::kInterface},
              nothingText());
    return;
  }
  list.PushClipRect(low(plot.rect.expanded(2)), high(plot.rect.expanded(2)), true);
  if (state_.mode() == core::PlotMode::kEnergy)
    for (const double share : kShares)
      dashedLine(list, toIm(plot.at(plot.x.low, share)), toIm(plot.at(plot.x.high, share)),
                 frame.theme.colors.control_border);
  for (const Shown& one : shown) {
    drawBeside(frame, plot, one);
    drawCurve(frame, plot, one);
  }
  for (const Previewed& one : previewed) drawPreview(frame, plot, one);
  if (!shown.empty()) drawNoise(frame, plot, shown.front(), bins, curves);
  list.PopClipRect();
  drawHover(frame, plot, shown, previewed);
}

// Hollow, since they are not exact; of values also as far as each may be off.
void SpectrumPlot::drawPreview(CanvasFrame& frame, const PlotArea& plot, const Previewed& previewed) const {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Rgba color = seriesColor(frame.theme, previewed.series.number);
  const core::Curve& curve = previewed.curve;
  const std::vector<ImVec2> path = pathOf(plot, curve, 0, curve.y.size());
  list.AddPolyline(path.data(), int(path.size()), color.withAlpha(110).abgr(), 0, 1);
  for (std::size_t i = 0; i < curve.y.size(); ++i) {
    if (state_.mode() != core::PlotMode::kEnergy) {
      const double off = previewed.preview->residuals[i];
      list.AddLine(toIm(plot.at(curve.x[i], std::max(plot.y.low, curve.y[i] - off))),
                   toIm(plot.at(curve.x[i], curve.y[i] + off)), color.withAlpha(170).abgr(), 1.5f);
    }
    list.AddCircle(toIm(plot.at(curve.x[i], curve.y[i])), 3.5f, color.abgr(), 0, 1.4f);
  }
}

void SpectrumPlot::drawCurve(CanvasFrame& frame, const PlotArea& plot, const Shown& shown) const {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Rgba color = seriesColor(frame.theme, shown.series.number);
  const core::Curve& curve = shown.curve;
  const std::vector<ImVec2> path = pathOf(plot, curve, 0, curve.certain);
  list.AddPolyline(path.data(), int(path.size()), color.abgr(), 0, kLineWidth);
  if (state_.mode() != core::PlotMode::kDensity)
    for (const std::size_t i : markerPlaces(plot, curve, shown.series.number))
      drawMarker(list, shown.series.number, toIm(plot.at(curve.x[i], curve.y[i])), 3.5f, color);
  // Dots for what is only known to be small.
  if (curve.certain >= curve.y.size()) return;
  float last = -1e9f;
  for (const ImVec2& at : pathOf(plot, curve, curve.certain, curve.y.size())) {
    if (at.x - last < 4) continue;
    last = at.x;
    list.AddCircleFilled(at, 1.2f, color.withAlpha(120).abgr());
  }
}

void SpectrumPlot::drawBeside(CanvasFrame& frame, const PlotArea& plot, const Shown& shown) const {
  if (!shown.companion) return;
  const std::vector<ImVec2> path = pathOf(plot, shown.beside, 0, shown.beside.certain);
  dashedPath(*ImGui::GetWindowDrawList(), path, seriesColor(frame.theme, shown.series.number).withAlpha(190));
}

// Where noise of the first matrix's bulk would end; as a density, the law itself.
void SpectrumPlot::drawNoise(CanvasFrame& frame, const PlotArea& plot, const Shown& first,
                             const core::DensityBins& bins, std::span<const core::Curve> curves) const {
  const auto& fit = first.report->noise;
  if (!fit || state_.mode() == core::PlotMode::kEnergy) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Rgba color = seriesColor(frame.theme, first.series.number);
  const bool density = state_.mode() == core::PlotMode::kDensity;
  if (density) {
    const std::vector<ImVec2> path = pathOf(plot, noiseDensityOf(*first.report, bins), 0, 241);
    for (std::size_t i = 0; i + 1 < path.size(); ++i)
      if (i % 3 != 2) list.AddLine(path[i], path[i + 1], color.abgr(), 1.2f);
  }
  const std::string text =
      fmt::format("Marchenko–Pastur edge, {}: {} · {} spike{}", rowName(first.report->name),
                  fmt::format("{:.3g}", fit->upper_sigma), fit->spikes, fit->spikes == 1 ? "" : "s");
  const LabelStyle style{11, float(plot.rect.width() - 24), color, LabelFont::kInterface};
  if (density) {
    const Point at = plot.at(fit->upper_sigma, plot.y.low);
    dashedLine(list, toIm(at), {float(at.x), float(plot.rect.y0)}, color);
    const bool left = at.x > plot.rect.center().x;
    drawLabel(list, frame, {float(at.x + (left ? -8 : 8)), float(plot.rect.y0 + 10)},
              left ? Align::kRight : Align::kLeft, style, text);
    return;
  }
  const Point at = plot.at(plot.x.high, fit->upper_sigma);
  dashedLine(list, {float(plot.rect.x0), float(at.y)}, toIm(at), color);
  const Label label = frame.labels.get(text, style.size, style.max_width, style.font);
  const Rect place = freestPlace(plot, at.y, double(label.width), double(label.height), curves);
  if (place.empty()) return;
  drawLabel(list, frame, {float(place.x0), float(place.center().y)}, Align::kLeft, style, text);
}

void SpectrumPlot::drawHover(CanvasFrame& frame, const PlotArea& plot, const std::vector<Shown>& shown,
                             const std::vector<Previewed>& previewed) const {
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!plot.rect.contains(mouse) || !ImGui::IsWindowHovered()) return;
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const double value = plot.x.low + (plot.x.high - plot.x.low) * (mouse.x - plot.rect.x0) / plot.rect.width();
  const bool density = state_.mode() == core::PlotMode::kDensity,
             energy = state_.mode() == core::PlotMode::kEnergy;
  const auto index = std::size_t(std::max(0.0, std::round(value)));
  Tooltip tooltip{.title = density  ? fmt::format("σ = {}", number(value))
                           : energy ? fmt::format("First {} values", index)
                                    : fmt::format("Index {}, from 0", index)};
  for (const Shown& one : shown) {
    std::size_t i = index;
    if (density)
      i = std::size_t(std::upper_bound(one.curve.x.begin(), one.curve.x.end(), value) - one.curve.x.begin());
    if (i >= one.curve.x.size()) continue;
    const Rgba color = seriesColor(frame.theme, one.series.number);
    const double y = one.curve.y[i];
    std::string text = energy ? fmt::format("{:.4f}", y) : density ? number(y) : fmt::format("{:.6g}", y);
    if (!density && i >= one.curve.certain) text = fmt::format("≤ {:.2g}", one.report->spectrum.floor);
    tooltip.rows.push_back({rowName(one.report->name), std::move(text), color});
    if (one.companion && i < one.beside.y.size())
      tooltip.rows.push_back({fmt::format("  {}", companionName()),
                              density ? number(one.beside.y[i]) : fmt::format("{:.6g}", one.beside.y[i]),
                              colors.text_secondary});
    if (!density) drawMarker(list, 0, toIm(plot.at(one.curve.x[i], y)), 4, color);
  }
  for (const Previewed& one : previewed) {
    if (index >= one.curve.y.size()) continue;
    const std::string name = rowName((*state_.snapshot().matrices)[one.series.matrix].name);
    tooltip.rows.push_back(
        {name,
         energy ? fmt::format("≥ {:.4f}", one.curve.y[index])
                : fmt::format("≥ {:.5g}, ± {:.1g}", one.curve.y[index], one.preview->residuals[index]),
         seriesColor(frame.theme, one.series.number)});
  }
  const float x = density ? float(mouse.x) : float(plot.at(double(index), plot.y.low).x);
  list.AddLine({x, float(plot.rect.y0)}, {x, float(plot.rect.y1)}, colors.text_disabled.abgr());
  const Rect target{double(x) - 8, mouse.y - 8, double(x) + 8, mouse.y + 8};
  drawTooltip(frame, tooltip, target, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
}

}  // namespace vitrine::ui::spectra
