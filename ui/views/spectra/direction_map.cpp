#include "ui/views/spectra/direction_map.h"

#include "ui/views/panel.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr std::array<DirectionMapTexts, 3> kTexts = {
    {{"Similarity |u₀ᵢ · u₁ⱼ|", "base direction i", "tuned direction j", "|cosine|"},
     {"Subspaces φ(i, j)", "first i of the base", "first j of the fine-tune", "φ(i, j)"},
     {"Change |U₀ᵀΔW V₀| / ‖ΔW‖", "base left vector i", "base right vector j", "|D| / ‖ΔW‖"}}};

void fill(DirectionMap& map, const Eigen::MatrixXd& values) {
  map.cells = map.directions = std::size_t(values.rows());
  map.values.reserve(map.cells * map.cells);
  for (Eigen::Index i = 0; i < values.rows(); ++i)
    for (Eigen::Index j = 0; j < values.cols(); ++j) map.values.push_back(float(values(i, j)));
  map.range = {0, 1};
}

// From a tenth of an even spread to the largest element, as in the figures.
void fillChange(DirectionMap& map, const core::MatrixComparison& comparison) {
  map.cells = comparison.change.cells;
  map.directions = comparison.change.side;
  map.values = comparison.change.largest;
  map.scale = Scale::kLog;
  float largest = 0;
  for (float& value : map.values) {
    value = comparison.change_norm > 0 ? float(double(value) / comparison.change_norm) : 0;
    largest = std::max(largest, value);
  }
  const double low = 0.1 / double(std::max<std::size_t>(1, map.directions));
  map.range = {low, std::max(10 * low, double(largest))};
}

}  // namespace

DirectionMap directionMap(const core::MatrixComparison& comparison, DirectionMapKind kind) {
  DirectionMap map{.kind = kind};
  if (kind == DirectionMapKind::kSimilarity) fill(map, comparison.similarity);
  if (kind == DirectionMapKind::kPhi) fill(map, comparison.phi);
  if (kind == DirectionMapKind::kChange) fillChange(map, comparison);
  return map;
}

const DirectionMapTexts& textsOf(DirectionMapKind kind) {
  return kTexts[std::size_t(kind)];
}

// As ChangeMap places elements: element i is in cell i * cells / side.
Directions directionsOf(const DirectionMap& map, std::size_t cell) {
  const auto first = [&](std::size_t index) { return (index * map.directions + map.cells - 1) / map.cells; };
  return {first(cell) + 1, first(cell + 1)};
}

std::string textOf(const Directions& directions) {
  return directions.first == directions.last ? std::to_string(directions.first)
                                             : fmt::format("{} – {}", directions.first, directions.last);
}

std::string cellTitle(const DirectionMap& map, std::size_t row, std::size_t column) {
  const std::string i = textOf(directionsOf(map, row)), j = textOf(directionsOf(map, column));
  switch (map.kind) {
    case DirectionMapKind::kSimilarity:
      return fmt::format("u₀ {} · u₁ {}", i, j);
    case DirectionMapKind::kPhi:
      return fmt::format("φ({}, {})", i, j);
    default:
      return fmt::format("u₀ {} · ΔW v₀ {}", i, j);
  }
}

std::vector<CellFact> cellFacts(const DirectionMap& map, const core::MatrixComparison& comparison,
                                std::size_t row, std::size_t column, double epsilon) {
  const double value = double(map.at(row, column));
  const Directions i = directionsOf(map, row), j = directionsOf(map, column);
  switch (map.kind) {
    case DirectionMapKind::kSimilarity: {
      const double best = comparison.best_match[Eigen::Index(column)];
      return {{"|u₀ᵢ · u₁ⱼ|", fmt::format("{:.4f}", value)},
              {fmt::format("best match of tuned {}", column + 1), fmt::format("{:.4f}", best)},
              {fmt::format("intruder at ε {:.2f}", epsilon), best < epsilon ? "yes" : "no"}};
    }
    case DirectionMapKind::kPhi:
      return {{"φ", fmt::format("{:.4f}", value)},
              {"of random directions",
               fmt::format("{:.4f}", double(std::max(row, column) + 1) / double(comparison.rows))}};
    default: {
      std::vector<CellFact> facts{{"over ‖ΔW‖", number(value)},
                                  {"element", number(value * comparison.change_norm)}};
      if (i.first != i.last || j.first != j.last)
        facts.push_back(
            {"the largest of", fmt::format("{} × {}", i.last - i.first + 1, j.last - j.first + 1)});
      return facts;
    }
  }
}

std::size_t poolFor(double cell_pixels) {
  return cell_pixels >= 1 || !(cell_pixels > 0) ? 1 : std::size_t(std::ceil(1 / cell_pixels));
}

std::vector<float> pooled(const DirectionMap& map, std::size_t pool) {
  const std::size_t side = (map.cells + pool - 1) / pool;
  std::vector<float> values(side * side, 0);
  for (std::size_t row = 0; row < map.cells; ++row)
    for (std::size_t column = 0; column < map.cells; ++column) {
      float& value = values[row / pool * side + column / pool];
      value = std::max(value, map.at(row, column));
    }
  return values;
}

}  // namespace vitrine::ui::spectra
