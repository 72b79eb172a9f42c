#include "core/figure/thumbnail_layout.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/figure/heat_map_layout.h"
#include "core/figure/ink.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kMostBlocks = 6;
constexpr double kGapShare = 0.08;       // of a thumbnail, between it and the next
constexpr double kSmallerIsFine = 0.72;  // more blocks fill the width; worth thumbnails this much smaller

std::size_t gapCells(std::size_t thumbnail_cells) {
  return std::max<std::size_t>(
      1, static_cast<std::size_t>(std::lround(kGapShare * static_cast<double>(thumbnail_cells))));
}

// The gap after the last thumbnail is not drawn.
double shown(std::size_t count, std::size_t cells, double pitch) {
  double whole = static_cast<double>(cells + gapCells(cells));
  return pitch * (static_cast<double>(count) - static_cast<double>(gapCells(cells)) / whole);
}

std::size_t labelStride(double pitch, double font_size) {
  std::size_t stride = 1;
  for (std::size_t next : {2, 5, 10, 20, 50})
    if (pitch * static_cast<double>(stride) < font_size * 1.05) stride = next;
  return stride;
}

std::string rowName(const ThumbnailGrid& grid, std::size_t row) {
  return grid.row_names.empty() ? std::to_string(row) : grid.row_names[row];
}

// The width that row names need.
double widestName(const ThumbnailGrid& grid, const TextFont& font, const TextMeasure& measure) {
  double widest = measure.measure(std::to_string(grid.rows), font).width;
  for (const std::string& name : grid.row_names) widest = std::max(widest, measure.measure(name, font).width);
  return widest;
}

Raster blockRaster(const ThumbnailGrid& grid, const ValueScale& scale, std::size_t first, std::size_t rows,
                   const Rect& box) {
  std::size_t th = grid.thumbnail_rows, tw = grid.thumbnail_columns, gap_y = gapCells(th),
              gap_x = gapCells(tw);
  Raster raster = {box, grid.columns * (tw + gap_x) - gap_x, rows * (th + gap_y) - gap_y, {}};
  raster.pixels.assign(raster.width * raster.height, ink::kPaper);
  for (std::size_t i = 0; i < rows * grid.columns; ++i) {
    std::size_t row = i / grid.columns, column = i % grid.columns;
    std::size_t offset = ((first + row) * grid.columns + column) * th * tw;
    for (std::size_t y = 0; y < th; ++y)
      for (std::size_t x = 0; x < tw; ++x) {
        std::size_t cell = offset + y * tw + x;
        bool masked = !grid.mask.empty() && grid.mask[cell % grid.mask.size()] != 0;
        raster.pixels[(row * (th + gap_y) + y) * raster.width + column * (tw + gap_x) + x] =
            cellColor(grid.color, scale, grid.values[cell], masked);
      }
  }
  return raster;
}

void layoutBlockNumbers(DrawingBuilder& out, const ThumbnailGrid& grid, const ThumbnailArrangement& a,
                        const Rect& box, std::size_t first, std::size_t rows, const TextFont& font) {
  double half_width = shown(1, grid.thumbnail_columns, a.cell_width) / 2;
  double half_height = shown(1, grid.thumbnail_rows, a.cell_height) / 2;
  std::size_t column_stride = labelStride(a.cell_width, font.size * 1.3);
  for (std::size_t c = 0; c < grid.columns; c += column_stride)
    out.text(std::to_string(c),
             {box.x + a.cell_width * static_cast<double>(c) + half_width, box.y - ink::kPad}, font,
             ink::kText, HorizontalAlign::kCenter, VerticalAlign::kBottom);
  std::size_t row_stride = labelStride(a.cell_height, font.size);
  for (std::size_t r = 0; r < rows; ++r) {
    if ((first + r) % row_stride != 0) continue;
    out.text(rowName(grid, first + r),
             {box.x - ink::kPad - 0.5, box.y + a.cell_height * static_cast<double>(r) + half_height}, font,
             ink::kText, HorizontalAlign::kRight, VerticalAlign::kMiddle);
  }
}

}  // namespace

ThumbnailArrangement arrangeThumbnails(const ThumbnailGrid& grid, double width, double max_height,
                                       const LayoutContext& context) {
  TextFont font = {FontRole::kSans, context.preset.min_token_pt};
  double gap = widestName(grid, font, context.measure) + 3 * ink::kPad;
  double ratio = static_cast<double>(grid.thumbnail_rows) / static_cast<double>(grid.thumbnail_columns);
  auto arrange = [&](std::size_t blocks) {
    ThumbnailArrangement a;
    a.rows_in_block = (grid.rows + blocks - 1) / blocks;
    a.blocks = (grid.rows + a.rows_in_block - 1) / a.rows_in_block;
    a.block_gap = gap;
    double room =
        std::max(1.0, width - gap * static_cast<double>(a.blocks - 1)) / static_cast<double>(a.blocks);
    a.cell_width = room / shown(grid.columns, grid.thumbnail_columns, 1);
    a.cell_width =
        std::min(a.cell_width, max_height / shown(a.rows_in_block, grid.thumbnail_rows, 1) / ratio);
    a.cell_height = a.cell_width * ratio;
    a.width = shown(grid.columns, grid.thumbnail_columns, a.cell_width) * static_cast<double>(a.blocks) +
              gap * static_cast<double>(a.blocks - 1);
    a.height = shown(a.rows_in_block, grid.thumbnail_rows, a.cell_height);
    return a;
  };
  ThumbnailArrangement best = arrange(1);
  double largest = 0;
  for (std::size_t blocks = 1; blocks <= std::min(kMostBlocks, grid.rows); ++blocks)
    largest = std::max(largest, arrange(blocks).cell_width);
  for (std::size_t blocks = 1; blocks <= std::min(kMostBlocks, grid.rows); ++blocks) {
    ThumbnailArrangement a = arrange(blocks);
    if (a.cell_width >= kSmallerIsFine * largest) best = a;
  }
  return best;
}

void layoutThumbnails(DrawingBuilder& out, const ThumbnailGrid& grid, const ResolvedColors& colors,
                      const ThumbnailArrangement& a, const Rect& plot, const LayoutContext& context) {
  TextFont font = {FontRole::kSans, context.preset.min_token_pt};
  TextFont label_font = {FontRole::kSans, context.preset.label_pt};
  double block_width = shown(grid.columns, grid.thumbnail_columns, a.cell_width);
  for (std::size_t b = 0; b < a.blocks; ++b) {
    std::size_t first = b * a.rows_in_block, rows = std::min(a.rows_in_block, grid.rows - first);
    Rect box = {plot.x + static_cast<double>(b) * (block_width + a.block_gap), plot.y, block_width,
                shown(rows, grid.thumbnail_rows, a.cell_height)};
    if (context.pass == LayoutPass::kMeasure)
      out.rectangle(box, ink::kMasked);
    else
      out.raster(blockRaster(grid, colors.scale, first, rows, box));
    layoutBlockNumbers(out, grid, a, box, first, rows, font);
  }
  TextExtent number = context.measure.measure(std::to_string(grid.rows), font);
  out.text(grid.column_label,
           {plot.x + plot.width / 2, plot.y - 2 * ink::kPad - number.ascent - number.descent}, label_font,
           ink::kText, HorizontalAlign::kCenter, VerticalAlign::kBottom);
  out.verticalText(
      grid.row_label,
      {plot.x - widestName(grid, font, context.measure) - 3 * ink::kPad, plot.y + plot.height / 2},
      label_font, ink::kText, HorizontalAlign::kRight, VerticalAlign::kMiddle);
}

}  // namespace vitrine::core
