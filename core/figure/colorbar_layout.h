// The colour bar: colours, ticks, quantity, unit, scale and normalization; arrow heads where values lie
// beyond its ends; beside it a hatched swatch that names masked cells.
#pragma once

#include <string>

#include "core/figure/layout_context.h"
#include "core/figure/value_scale.h"

namespace vitrine::core {

// "attention probability (log scale, softmax over keys)".
std::string colorbarTitle(const ColorScale& color);

// `distance`: how far from the plot's right or lower edge the bar begins.
void layoutColorbar(DrawingBuilder& out, const ColorScale& color, const ResolvedColors& colors,
                    const Rect& plot, double distance, const LayoutContext& context);

}  // namespace vitrine::core
