#include "core/figure/colormap.h"

#include <array>

#include "core/figure/colormap_tables.h"

namespace vitrine::core {

std::span<const Rgb8> colormap(ColormapId id) {
  switch (id) {
    case ColormapId::kViridis:
      return tables::kViridis;
    case ColormapId::kCividis:
      return tables::kCividis;
    case ColormapId::kMagma:
      return tables::kMagma;
    case ColormapId::kGrey:
      return tables::kGrey;
    case ColormapId::kDiverging:
      return tables::kDiverging;
  }
  VITRINE_ASSERT(!"unknown colour map");
}

std::span<const ColormapId> colormaps() {
  static constexpr std::array kAll = {ColormapId::kViridis, ColormapId::kCividis, ColormapId::kMagma,
                                      ColormapId::kGrey, ColormapId::kDiverging};
  return kAll;
}

std::string_view colormapName(ColormapId id) {
  switch (id) {
    case ColormapId::kViridis:
      return "viridis";
    case ColormapId::kCividis:
      return "cividis";
    case ColormapId::kMagma:
      return "magma";
    case ColormapId::kGrey:
      return "grey";
    case ColormapId::kDiverging:
      return "diverging";
  }
  VITRINE_ASSERT(!"unknown colour map");
}

Result<ColormapId> findColormap(std::string_view name) {
  for (ColormapId id : colormaps())
    if (colormapName(id) == name) return id;
  std::string known;
  for (ColormapId id : colormaps()) known += (known.empty() ? "" : ", ") + std::string(colormapName(id));
  return fail(ErrorCode::kInvalidArgument, "colour map \"{}\" does not exist; choose one of {}", name, known);
}

Rgb8 sampleColormap(ColormapId id, double position) {
  std::span<const Rgb8> entries = colormap(id);
  if (!(position > 0)) return entries.front();
  if (position >= 1) return entries.back();
  return entries[static_cast<std::size_t>(position * 256)];
}

}  // namespace vitrine::core
