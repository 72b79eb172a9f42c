// The maps of a comparison as numbers: what is drawn, between which colours, and what a cell says. Pure
// arithmetic, no drawing.
#pragma once

#include "core/spectra/comparison.h"
#include "ui/view_settings.h"

#include <string>
#include <vector>

namespace vitrine::ui::spectra {

enum class DirectionMapKind { kSimilarity, kPhi, kChange };

// Rows are the base's directions (of the change, its left ones), columns the fine-tune's (its right ones),
// the strongest first.
struct DirectionMap {
  DirectionMapKind kind = DirectionMapKind::kSimilarity;
  std::size_t cells = 0, directions = 0;  // a side; what its cells stand for
  std::vector<float> values;              // (cells, cells), row-major; of the change over its norm
  Range range;
  Scale scale = Scale::kLinear;

  bool empty() const { return cells == 0; }
  float at(std::size_t row, std::size_t column) const { return values[row * cells + column]; }
};
DirectionMap directionMap(const core::MatrixComparison& comparison, DirectionMapKind kind);

struct DirectionMapTexts {
  std::string_view title, rows, columns, quantity;
};
const DirectionMapTexts& textsOf(DirectionMapKind kind);

// The first and the last direction, from 1, that a cell stands for.
struct Directions {
  std::size_t first = 1, last = 1;
};
Directions directionsOf(const DirectionMap& map, std::size_t cell);
std::string textOf(const Directions& directions);  // "3", "3 – 5"

// Name and value of what there is to say of a cell; its first one is the exact value.
struct CellFact {
  std::string name, value;
};
std::vector<CellFact> cellFacts(const DirectionMap& map, const core::MatrixComparison& comparison,
                                std::size_t row, std::size_t column, double epsilon);
std::string cellTitle(const DirectionMap& map, std::size_t row, std::size_t column);

// How many cells a side share a picture element, so that none is lost where a cell is smaller than a device
// pixel; 1 from there on.
std::size_t poolFor(double cell_pixels);
// The largest of each `pool` x `pool` cells; the last ones may have fewer.
std::vector<float> pooled(const DirectionMap& map, std::size_t pool);

}  // namespace vitrine::ui::spectra
