// Lays a figure out on a page: panels in a grid with aligned plot areas, letters, notes. The page is exactly
// as wide as the preset says and as high as the content needs.
#pragma once

#include "core/figure/drawing.h"
#include "core/figure/figure.h"
#include "core/figure/preset.h"

namespace vitrine::core {

// Errors: vectors of a panel that do not fit together, an empty or impossible range, too many vector cells.
Result<Drawing> layoutFigure(const Figure& figure, const FigurePreset& preset, const TextMeasure& measure);

}  // namespace vitrine::core
