#include "core/figure/sidecar.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/figure/panel_layout.h"

namespace vitrine::core {
namespace {

using Json = nlohmann::ordered_json;  // keys stay in the order below

Json orNull(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
Json orNull(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

std::string_view scaleName(AxisScale scale) {
  return scale == AxisScale::kLog ? "log" : "linear";
}

Json axisJson(const Axis& axis) {
  return {{"label", axis.label}, {"unit", orNull(axis.unit)}, {"scale", scaleName(axis.scale)}};
}

Json colorJson(const ColorScale& color, const ResolvedColors& resolved) {
  return {{"quantity", color.quantity},
          {"unit", orNull(color.unit)},
          {"colormap", colormapName(color.map)},
          {"scale", scaleName(color.scale)},
          {"range", {resolved.scale.low, resolved.scale.high}},
          {"normalization", orNull(color.normalization)},
          {"cells_below_range", resolved.below},
          {"cells_above_range", resolved.above},
          {"cells_masked", resolved.masked},
          {"cells_not_finite", resolved.not_finite}};
}

Result<Json> panelJson(const Panel& panel) {
  Json json = {{"x", axisJson(panel.x)}, {"y", axisJson(panel.y)}};
  if (panel.heat_map) {
    const HeatMap& map = *panel.heat_map;
    TRY_ASSIGN(ResolvedColors colors, panelColors(panel));
    json["shape"] = {map.rows, map.columns};
    json["color"] = colorJson(map.color, colors);
  }
  if (panel.thumbnails) {
    const ThumbnailGrid& grid = *panel.thumbnails;
    TRY_ASSIGN(ResolvedColors colors, panelColors(panel));
    json["shape"] = {grid.rows, grid.columns, grid.thumbnail_rows, grid.thumbnail_columns};
    json["color"] = colorJson(grid.color, colors);
  }
  Json series = Json::array();
  for (const LineSeries& line : panel.lines)
    series.push_back({{"line", line.label}, {"points", line.x.size()}});
  for (const BarSeries& bars : panel.bars)
    series.push_back({{"bars", bars.label}, {"values", bars.values.size()}});
  if (!series.empty()) json["series"] = std::move(series);
  return json;
}

Json provenanceJson(const Provenance& provenance) {
  Json parameters = Json::object();
  for (const auto& [name, value] : provenance.parameters) parameters[name] = value;
  return {{"model", {{"path", orNull(provenance.model_path)}, {"sha256", orNull(provenance.model_sha256)}}},
          {"trace", {{"path", orNull(provenance.trace_path)}, {"sha256", orNull(provenance.trace_sha256)}}},
          {"prompt", orNull(provenance.prompt)},
          {"seed", provenance.seed ? Json(*provenance.seed) : Json()},
          {"method", orNull(provenance.method)},
          {"parameters", std::move(parameters)},
          {"device", orNull(provenance.device)},
          {"commit", orNull(provenance.commit)},
          {"command", orNull(provenance.command)}};
}

}  // namespace

Result<std::string> sidecarOf(const Figure& figure, const FigurePreset& preset,
                              const Provenance& provenance) {
  Json panels = Json::array();
  for (const Panel& panel : figure.panels) {
    TRY_ASSIGN(Json json, panelJson(panel));
    panels.push_back(std::move(json));
  }
  Json summary = Json::object();
  for (const SummaryRow& row : figure.summary) summary[labelWithUnit(row.name, row.unit)] = orNull(row.value);
  Json json = {{"figure", figure.name},
               {"caption", figure.caption},
               {"preset", {{"name", preset.name}, {"width_in", preset.width_in}}},
               {"panels", std::move(panels)},
               {"summary", std::move(summary)},
               {"provenance", provenanceJson(provenance)}};
  // A prompt with broken UTF-8 must not stop the export: its bad bytes become U+FFFD.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vitrine::core
