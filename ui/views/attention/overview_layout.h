// Where the overview's thumbnails stand: one row a layer and one column a head, or, ranked by a metric, as
// many a row as fit. Content coordinates: logical pixels from the first tile's corner. Pure arithmetic, no
// drawing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ui/selection.h"
#include "ui/views/attention/head_order.h"
#include "ui/views/geometry.h"

namespace vitrine::ui::attention {

enum class Direction { kLeft, kRight, kUp, kDown };

class OverviewLayout {
 public:
  static constexpr double kSmallestTile = 20, kLargestTile = 128;
  static constexpr double kCaptionFrom = 34;  // ranked tiles of this size carry the head's name
  static constexpr double kCaption = 13;      // its height

  // `tile`: side of a thumbnail, kept within the limits; `width`: room for a ranked row.
  void set(std::vector<Head> order, HeadSort sort, std::uint32_t heads, double tile, double width);

  bool ranked() const { return ranked_; }
  bool captions() const { return ranked_ && tile_ >= kCaptionFrom; }
  double tile() const { return tile_; }
  double gap() const { return gap_; }
  double columnPitch() const { return tile_ + gap_; }
  double rowPitch() const { return tile_ + gap_ + (captions() ? kCaption : 0); }
  std::uint32_t columns() const { return columns_; }
  std::uint32_t rows() const;
  double contentWidth() const { return columns_ ? columns_ * columnPitch() - gap_ : 0; }
  double contentHeight() const { return rows() ? rows() * rowPitch() - gap_ : 0; }
  std::uint32_t count() const { return std::uint32_t(order_.size()); }
  const Head& headAt(std::uint32_t index) const { return order_[index]; }

  Rect tileRect(std::uint32_t index) const;
  std::optional<std::uint32_t> indexOf(Head head) const;
  std::optional<std::uint32_t> hit(Point content) const;  // gaps belong to the tile before them
  // The neighbour; at the edge the same one.
  Head neighbour(Head head, Direction direction) const;
  // Indices [first, last) of the tiles in the rows that `content` (visible part) touches.
  struct Range {
    std::uint32_t first = 0, last = 0;
  };
  Range visible(double top, double bottom) const;

 private:
  std::vector<Head> order_;
  bool ranked_ = false;
  std::uint32_t columns_ = 0;
  double tile_ = kSmallestTile, gap_ = 4;
};

// The tile size at which all heads of a layer fit into `width`, and if possible all layers into `height`.
double comfortableTile(std::uint32_t layers, std::uint32_t heads, double width, double height);

// How many device pixels a thumbnail is asked for, so that the atlas of all of them stays within `max_side`.
std::uint32_t thumbnailPixels(double tile, double pixel_ratio, std::uint32_t layers, std::uint32_t heads,
                              std::uint32_t max_side);

}  // namespace vitrine::ui::attention
