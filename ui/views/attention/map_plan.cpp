#include "ui/views/attention/map_plan.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::attention {

namespace {
constexpr double kWholeUpTo = 256;  // cells a side: computed whole, at no more than 65,536 elements
constexpr double kStep = 32;        // cells: region edges of exact pictures are multiples of it

void alignOutward(double& low, double& high, double cells) {
  const double margin = std::max(kStep, (high - low) / 4);
  low = std::max(0.0, std::floor((low - margin) / kStep) * kStep);
  high = std::min(cells, std::ceil((high + margin) / kStep) * kStep);
}
}  // namespace

std::optional<core::MapRequest> mapRequest(const MapViewport& viewport, Head head, core::Pooling pooling) {
  Rect seen = viewport.visibleCells();
  if (viewport.cells() == 0 || seen.empty()) return std::nullopt;
  core::MapRequest request{.layer = head.layer, .head = head.head, .pooling = pooling};
  const double cells = viewport.cells(), pixels_a_cell = viewport.cellSize() * viewport.pixelRatio();
  double columns = 0, rows = 0;
  if (pixels_a_cell >= 1) {
    if (cells <= kWholeUpTo) {
      seen = {0, 0, cells, cells};
    } else {
      alignOutward(seen.x0, seen.x1, cells);
      alignOutward(seen.y0, seen.y1, cells);
    }
    columns = seen.width();
    rows = seen.height();
  } else {
    columns = seen.width() * pixels_a_cell;
    rows = seen.height() * pixels_a_cell;
  }
  request.key0 = seen.x0;
  request.key1 = seen.x1;
  request.query0 = seen.y0;
  request.query1 = seen.y1;
  request.width = std::uint32_t(std::max(1.0, std::round(columns)));
  request.height = std::uint32_t(std::max(1.0, std::round(rows)));
  return request;
}

bool isExact(const core::MapRequest& request) {
  return request.key1 - request.key0 == request.width && request.query1 - request.query0 == request.height &&
         request.key0 == std::floor(request.key0) && request.query0 == std::floor(request.query0);
}

}  // namespace vitrine::ui::attention
