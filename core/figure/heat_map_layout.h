// The cells of a heat map, the hatching of what is masked, and the marginals above and at the right.
#pragma once

#include <functional>

#include "core/figure/figure.h"
#include "core/figure/layout_context.h"
#include "core/figure/value_scale.h"

namespace vitrine::core {

Rgb8 cellColor(const ColorScale& color, const ValueScale& scale, float value, bool masked);
bool isMasked(const HeatMap& map, std::size_t row, std::size_t column);

// One raster, or one polygon a cell where vector cells are asked for.
void layoutCells(DrawingBuilder& out, const HeatMap& map, const ResolvedColors& colors, const Rect& plot,
                 const LayoutContext& context);

// Diagonal strokes over the cells of a rows x columns grid in `box` for which `hatched(row, column)` holds.
void layoutHatching(DrawingBuilder& out, const Rect& box, std::size_t rows, std::size_t columns,
                    const std::function<bool(std::size_t row, std::size_t column)>& hatched);

// How far each reaches out from the plot's upper and right edge, in points.
struct MarginalReach {
  double top = 0, right = 0;
};
MarginalReach layoutMarginals(DrawingBuilder& out, const HeatMap& map, const Rect& plot,
                              const LayoutContext& context);

}  // namespace vitrine::core
