// What an ImTextureID points to: a picture that the canvas can draw, either colours (glyphs) or a map of
// probabilities with the way in which it is coloured.
#pragma once

#include <cstdint>
#include <memory>

#include "core/figure/colormap.h"
#include "gpu/image.h"
#include "ui/theme/tokens.h"
#include "ui/view_settings.h"

namespace vitrine::ui {

// How a picture of probabilities (R32_SFLOAT; below 0: masked) becomes colours.
struct MapPaint {
  Range range;
  Scale scale = Scale::kLog;
  core::ColormapId colormap = core::ColormapId::kViridis;
  Rgba masked, invalid;  // cells with no key; NaN
};

struct CanvasTexture {
  std::shared_ptr<const gpu::Image> image;
  bool is_map = false;
  MapPaint paint;  // of a map
};

}  // namespace vitrine::ui
