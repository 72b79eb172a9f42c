// The numbers behind core/figure/colormap.h, written by assets/colormaps/generate.py. Use colormap() instead.
#pragma once

#include <array>

#include "core/figure/colormap.h"

namespace vitrine::core::tables {

extern const std::array<Rgb8, 256> kViridis, kCividis, kMagma, kGrey, kDiverging;

}  // namespace vitrine::core::tables
