#include "core/figure/series_style.h"

#include <array>

namespace vitrine::core {

SeriesStyle seriesStyle(std::size_t index) {
  // Okabe-Ito, the strong ones first; yellow is left out because thin yellow lines vanish on white paper.
  static constexpr std::array<Rgb8, 7> kColors = {{{0, 114, 178},
                                                   {213, 94, 0},
                                                   {0, 158, 115},
                                                   {204, 121, 167},
                                                   {230, 159, 0},
                                                   {86, 180, 233},
                                                   {0, 0, 0}}};
  static constexpr std::array kMarkers = {Marker::kCircle,  Marker::kSquare,       Marker::kTriangle,
                                          Marker::kDiamond, Marker::kTriangleDown, Marker::kCross,
                                          Marker::kPlus};
  static const std::array<std::vector<double>, 5> kDashes = {
      std::vector<double>{}, {4, 1.6}, {1, 1.4}, {5, 1.6, 1, 1.6}, {7, 2.2}};
  std::size_t round = index / kColors.size();
  return {kColors[index % kColors.size()], kMarkers[(index + round) % kMarkers.size()],
          kDashes[(index + round) % kDashes.size()]};
}

}  // namespace vitrine::core
