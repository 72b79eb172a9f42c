// The colour bar: colours, ticks, quantity, unit, scale and normalization; arrow heads where values lie
// beyond its ends; beside it a hatched swatch that names masked cells.
#pragma once

#include <string>

#include "core/figure/layout_context.h"
#include "core/figure/value_scale.h"

namespace vitrine::core {

// "log scale, softmax over keys": stands behind the quantity, or below it in smaller type.
std::string colorbarDetails(const ColorScale& color);

enum class MaskStyle {
  kHatched,
  kPlain
};  // as the cells of this map have it; thumbnails are too small to hatch

// `distance`: how far from the plot's right or lower edge the bar begins.
void layoutColorbar(DrawingBuilder& out, const ColorScale& color, const ResolvedColors& colors,
                    const Rect& plot, double distance, MaskStyle mask, const LayoutContext& context);

}  // namespace vitrine::core
