// A table as a method gives it: for the terminal, for JSON and for the window.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

namespace vitrine::core::methods {

struct Column {
  std::string name;  // "bound / s1"
  std::string unit;  // empty for pure numbers
  std::string help;  // a tooltip: how it is defined
};

// A number that is not finite has no value: "-", null.
using Cell = std::variant<std::string, std::int64_t, double>;

struct Table {
  std::string title;
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as the columns
};

std::string textOf(const Cell& cell);  // "2.441", "1.3e-09", "-"
bool isNumber(const Cell& cell);

// Aligned: text to the left, numbers to the right.
std::string toText(const Table& table);
// {title, columns: [{name, unit, help}], rows: [{name: value}]}
nlohmann::ordered_json toJson(const Table& table);

}  // namespace vitrine::core::methods
