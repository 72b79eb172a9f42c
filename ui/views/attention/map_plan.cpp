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
    seen = {std::floor(seen.x0), std::floor(seen.y0), std::ceil(seen.x1), std::ceil(seen.y1)};
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

bool answers(const core::MapRequest& shown, std::uint32_t tokens, const core::MapRequest& wanted) {
  if (shown.layer != wanted.layer || shown.head != wanted.head) return false;
  const auto covers = [tokens](double shown0, double shown1, double wanted0, double wanted1) {
    return shown0 <= wanted0 && shown1 >= std::min<double>(wanted1, tokens);
  };
  if (!covers(shown.key0, shown.key1, wanted.key0, wanted.key1)) return false;
  if (!covers(shown.query0, shown.query1, wanted.query0, wanted.query1)) return false;
  if (isExact(shown) && isExact(wanted)) return true;
  const auto fits = [](double shown_density, double wanted_density) {
    constexpr double kTolerance = 0.02;  // a pixel more or less at the region's edges
    return std::abs(shown_density - wanted_density) <= kTolerance * wanted_density;
  };
  return shown.pooling == wanted.pooling &&
         fits(shown.width / (shown.key1 - shown.key0), wanted.width / (wanted.key1 - wanted.key0)) &&
         fits(shown.height / (shown.query1 - shown.query0), wanted.height / (wanted.query1 - wanted.query0));
}

bool isExact(const core::MapRequest& request) {
  return request.key1 - request.key0 == request.width && request.query1 - request.query0 == request.height &&
         request.key0 == std::floor(request.key0) && request.query0 == std::floor(request.query0);
}

}  // namespace vitrine::ui::attention
