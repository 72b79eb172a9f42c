// A grid of thumbnails with its row and column numbers. Where many rows would make thin thumbnails, the rows
// are split into blocks that stand side by side.
#pragma once

#include "core/figure/figure.h"
#include "core/figure/layout_context.h"
#include "core/figure/value_scale.h"

namespace vitrine::core {

// How a grid comes to lie in a width and a height, in points.
struct ThumbnailArrangement {
  std::size_t blocks = 1;
  std::size_t rows_in_block = 0;
  double cell_width = 0, cell_height = 0;  // from one thumbnail to the next
  double block_gap = 0;                    // room between blocks, for the row numbers of the next
  double width = 0, height = 0;            // of all blocks together
};
ThumbnailArrangement arrangeThumbnails(const ThumbnailGrid& grid, double width, double max_height,
                                       const LayoutContext& context);

// Draws the grid into `plot`, which is as large as the arrangement; numbers and labels stand above and at the
// left.
void layoutThumbnails(DrawingBuilder& out, const ThumbnailGrid& grid, const ResolvedColors& colors,
                      const ThumbnailArrangement& arrangement, const Rect& plot,
                      const LayoutContext& context);

}  // namespace vitrine::core
