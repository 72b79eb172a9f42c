#include "core/figure/csv_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <string_view>

#include "core/figure/series_layout.h"

namespace vitrine::core {
namespace {

std::string csvField(std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(field);
  std::string text = "\"";
  for (char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

template <typename Real>
void appendNumber(std::string& out, Real value) {
  if (std::isnan(value))
    out += "NaN";
  else if (std::isinf(value))
    out += value > 0 ? "inf" : "-inf";
  else
    fmt::format_to(std::back_inserter(out), "{}", value);
}

std::string orElse(const std::string& label, std::string_view fallback) {
  return label.empty() ? std::string(fallback) : label;
}

std::string quantity(const ColorScale& color) {
  return labelWithUnit(orElse(color.quantity, "value"), color.unit);
}

// The fields of an axis' place: its index and, where places have names, the name.
std::vector<std::string> placeFields(const Axis& axis, std::size_t count) {
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < count; ++i) {
    fields.push_back(std::to_string(i) + ",");
    if (!axis.categories.empty()) fields.back() += csvField(axis.categories[i]) + ",";
  }
  return fields;
}

std::string placeHeader(const Axis& axis, std::string_view fallback) {
  std::string label = orElse(axis.label, fallback);
  return csvField(label) + "," + (axis.categories.empty() ? "" : csvField(label + " label") + ",");
}

std::string heatMapCsv(const Panel& panel) {
  const HeatMap& map = *panel.heat_map;
  std::string out =
      placeHeader(panel.y, "row") + placeHeader(panel.x, "column") + csvField(quantity(map.color)) + "\r\n";
  std::vector<std::string> rows = placeFields(panel.y, map.rows), columns = placeFields(panel.x, map.columns);
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    if (!map.mask.empty() && map.mask[i] != 0) continue;
    out += rows[i / map.columns];
    out += columns[i % map.columns];
    appendNumber(out, map.values[i]);
    out += "\r\n";
  }
  return out;
}

std::string thumbnailCsv(const ThumbnailGrid& grid) {
  std::string out = csvField(grid.row_label) + "," + csvField(grid.column_label) + ",row,column," +
                    csvField(quantity(grid.color)) + "\r\n";
  std::size_t cells = grid.thumbnail_rows * grid.thumbnail_columns;
  for (std::size_t i = 0; i < grid.values.size(); ++i) {
    if (!grid.mask.empty() && grid.mask[i % grid.mask.size()] != 0) continue;
    std::size_t thumbnail = i / cells, cell = i % cells, row = thumbnail / grid.columns;
    out += grid.row_names.empty() ? std::to_string(row) : csvField(grid.row_names[row]);
    fmt::format_to(std::back_inserter(out), ",{},{},{},", thumbnail % grid.columns,
                   cell / grid.thumbnail_columns, cell % grid.thumbnail_columns);
    appendNumber(out, grid.values[i]);
    out += "\r\n";
  }
  return out;
}

std::string lineCsv(const Panel& panel) {
  std::string x = labelWithUnit(orElse(panel.x.label, "x"), panel.x.unit),
              y = labelWithUnit(orElse(panel.y.label, "y"), panel.y.unit);
  bool bands = false;
  for (const LineSeries& series : panel.lines) bands |= !series.low.empty();
  std::string out = "series," + csvField(x) + "," + csvField(y) + (bands ? ",low,high" : "") + "\r\n";
  for (const LineSeries& series : panel.lines)
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      out += csvField(series.label) + ",";
      appendNumber(out, series.x[i]);
      out += ",";
      appendNumber(out, series.y[i]);
      if (bands) out += ",";
      if (bands && !series.low.empty()) appendNumber(out, series.low[i]);
      if (bands) out += ",";
      if (bands && !series.high.empty()) appendNumber(out, series.high[i]);
      out += "\r\n";
    }
  return out;
}

std::string barCsv(const Panel& panel) {
  bool errors = false;
  for (const BarSeries& series : panel.bars) errors |= !series.errors.empty();
  std::string out = "series," + placeHeader(panel.x, "category") +
                    csvField(labelWithUnit(orElse(panel.y.label, "value"), panel.y.unit)) +
                    (errors ? ",error" : "") + "\r\n";
  std::vector<std::string> places = placeFields(panel.x, categoryCount(panel));
  for (const BarSeries& series : panel.bars)
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      out += csvField(series.label) + "," + places[i];
      appendNumber(out, series.values[i]);
      if (errors) out += ",";
      if (errors && !series.errors.empty()) appendNumber(out, series.errors[i]);
      out += "\r\n";
    }
  return out;
}

}  // namespace

std::string csvOf(const Panel& panel) {
  if (panel.heat_map) return heatMapCsv(panel);
  if (panel.thumbnails) return thumbnailCsv(*panel.thumbnails);
  if (!panel.bars.empty()) return barCsv(panel);
  return lineCsv(panel);
}

}  // namespace vitrine::core
