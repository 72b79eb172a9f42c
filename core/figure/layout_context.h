// What every part of a panel's layout is given.
#pragma once

#include <string>
#include <vector>

#include "core/figure/drawing_builder.h"
#include "core/figure/preset.h"

namespace vitrine::core {

// The page is laid out several times until its margins settle; only the last pass makes the pixels of maps.
enum class LayoutPass { kMeasure, kFinal };
enum class ColorbarSide { kRight, kBottom };

// A panel whose vertical axis is that of its left neighbour leaves the label to it.
enum class VerticalLabel { kOwn, kSharedWithLeft };

struct LayoutContext {
  const FigurePreset& preset;
  const TextMeasure& measure;
  LayoutPass pass = LayoutPass::kMeasure;
  ColorbarSide colorbar = ColorbarSide::kRight;
  VerticalLabel vertical_label = VerticalLabel::kOwn;
};

}  // namespace vitrine::core
