// Ticks, tick labels and the label of an axis below or left of a plot area.
#pragma once

#include <string>
#include <vector>

#include "core/figure/drawing_builder.h"
#include "core/figure/figure.h"
#include "core/figure/preset.h"
#include "core/figure/value_scale.h"

namespace vitrine::core {

// From values to a coordinate of the page.
struct AxisMap {
  ValueScale scale;
  double from = 0, to = 0;  // where scale.low and scale.high are
  double at(double value) const { return from + scale.position(value) * (to - from); }
};

enum class AxisSide { kBottom, kLeft };
enum class TickCounting { kReal, kWhole };  // whole: places of cells, tokens, layers

// How the labels of a categorical axis fit places that are `pitch` points apart.
struct CategoryFit {
  bool names = true;       // false: there is no room for names, number the places instead
  std::size_t stride = 1;  // every stride-th place gets its name
  double font_size = 7;
};
CategoryFit fitCategories(std::size_t count, double pitch, const FigurePreset& preset);

// Labels of a horizontal axis stand side by side, those of a vertical one above each other.
enum class TickLabels { kSideBySide, kStacked };
// The most ticks whose labels do not touch along `length` points.
std::vector<Tick> fitTicks(const ValueScale& scale, double length, TickLabels labels, TickCounting counting,
                           const TextFont& font, const TextMeasure& measure);

// Draws the axis and returns how far it reaches out from the plot's edge, in points.
double layoutAxis(DrawingBuilder& out, const Axis& axis, const AxisMap& map, AxisSide side,
                  TickCounting counting, const Rect& plot, const FigurePreset& preset);

}  // namespace vitrine::core
