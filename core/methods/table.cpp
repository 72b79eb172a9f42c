#include "core/methods/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace vitrine::core::methods {
namespace {

// In code points, as a terminal counts: names may hold Greek letters.
std::size_t widthOf(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, widthOf(text)), ' ');
  return right ? space + text : text + space;
}

std::string headOf(const Column& column) {
  return column.unit.empty() ? column.name : fmt::format("{} ({})", column.name, column.unit);
}

nlohmann::ordered_json valueOf(const Cell& cell) {
  if (const auto* number = std::get_if<double>(&cell))
    return std::isfinite(*number) ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
  if (const auto* count = std::get_if<std::int64_t>(&cell)) return *count;
  return std::get<std::string>(cell);
}

}  // namespace

std::string textOf(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* count = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *count);
  const double number = std::get<double>(cell);
  return std::isfinite(number) ? fmt::format("{:.4g}", number) : "-";
}

bool isNumber(const Cell& cell) {
  return !std::holds_alternative<std::string>(cell);
}

std::string toText(const Table& table) {
  std::vector<std::size_t> widths;
  for (const Column& column : table.columns) widths.push_back(widthOf(headOf(column)));
  for (const auto& row : table.rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], widthOf(textOf(row[c])));
  const auto numeric = [&](std::size_t c) {
    return std::ranges::any_of(table.rows, [&](const auto& row) { return isNumber(row[c]); });
  };
  std::string out = table.title.empty() ? "" : table.title + "\n";
  const auto line = [&](const auto& textAt) {
    for (std::size_t c = 0; c < widths.size(); ++c)
      out += (c > 0 ? "  " : "") + padded(textAt(c), widths[c], numeric(c));
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  };
  line([&](std::size_t c) { return headOf(table.columns[c]); });
  for (const auto& row : table.rows) line([&](std::size_t c) { return textOf(row[c]); });
  return out;
}

nlohmann::ordered_json toJson(const Table& table) {
  nlohmann::ordered_json out{{"title", table.title}};
  out["columns"] = nlohmann::ordered_json::array();
  for (const Column& column : table.columns)
    out["columns"].push_back({{"name", column.name}, {"unit", column.unit}, {"help", column.help}});
  out["rows"] = nlohmann::ordered_json::array();
  for (const auto& row : table.rows) {
    nlohmann::ordered_json one = nlohmann::ordered_json::object();
    for (std::size_t c = 0; c < row.size(); ++c) one[table.columns[c].name] = valueOf(row[c]);
    out["rows"].push_back(std::move(one));
  }
  return out;
}

}  // namespace vitrine::core::methods
