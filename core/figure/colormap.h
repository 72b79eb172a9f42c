// Colour maps: 256 sRGB entries each, shared by the canvas and the exported figures.
// Sequential maps rise steadily in lightness, so they survive greyscale printing; cividis is made for
// colour-vision deficiency; the diverging map is for signed values and is always used with a range symmetric
// about zero.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "gpu/error.h"

namespace vitrine::core {

struct Rgb8 {
  std::uint8_t r = 0, g = 0, b = 0;
  bool operator==(const Rgb8&) const = default;
};

enum class ColormapId { kViridis, kCividis, kMagma, kGrey, kDiverging };

// The 256 entries, from the low end of the range to the high end.
std::span<const Rgb8> colormap(ColormapId id);

std::span<const ColormapId> colormaps();       // all, in the order of a menu
std::string_view colormapName(ColormapId id);  // "viridis" ..: what menus, session files and --colormap say
Result<ColormapId> findColormap(std::string_view name);

// The entry for a position in [0, 1]; positions outside are clamped, NaN gives the first entry.
Rgb8 sampleColormap(ColormapId id, double position);

}  // namespace vitrine::core
