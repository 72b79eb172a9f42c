#include "ui/views/attention/overview_layout.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::attention {

namespace {
double gapOf(double tile) {
  return tile >= 28 ? 4 : 3;
}
}  // namespace

void OverviewLayout::set(std::vector<Head> order, HeadSort sort, std::uint32_t heads, double tile,
                         double width) {
  order_ = std::move(order);
  ranked_ = sort != HeadSort::kLayerHead;
  tile_ = std::clamp(std::round(tile), kSmallestTile, kLargestTile);
  gap_ = gapOf(tile_);
  columns_ = heads;
  if (ranked_) columns_ = std::uint32_t(std::max(1.0, std::floor((width + gap_) / columnPitch())));
  columns_ = std::min(columns_, std::uint32_t(order_.size()));
}

std::uint32_t OverviewLayout::rows() const {
  return columns_ ? (count() + columns_ - 1) / columns_ : 0;
}

Rect OverviewLayout::tileRect(std::uint32_t index) const {
  const double x = (index % columns_) * columnPitch(), y = (index / columns_) * rowPitch();
  return {x, y, x + tile_, y + tile_};
}

std::optional<std::uint32_t> OverviewLayout::indexOf(Head head) const {
  const auto found = std::ranges::find(order_, head);
  if (found == order_.end()) return std::nullopt;
  return std::uint32_t(found - order_.begin());
}

std::optional<std::uint32_t> OverviewLayout::hit(Point content) const {
  if (columns_ == 0 || content.x < 0 || content.y < 0) return std::nullopt;
  const double column = std::floor(content.x / columnPitch()), row = std::floor(content.y / rowPitch());
  if (column >= columns_ || row >= rows()) return std::nullopt;
  const auto index = std::uint32_t(row) * columns_ + std::uint32_t(column);
  return index < count() ? std::optional(index) : std::nullopt;
}

Head OverviewLayout::neighbour(Head head, Direction direction) const {
  const auto from = indexOf(head);
  if (!from) return head;
  const std::int64_t column = *from % columns_;
  std::int64_t index = *from;
  switch (direction) {
    case Direction::kLeft:
      index -= column > 0 || ranked_;
      break;
    case Direction::kRight:
      index += column + 1 < columns_ || ranked_;
      break;
    case Direction::kUp:
      index -= columns_;
      break;
    case Direction::kDown:
      index += columns_;
      break;
  }
  return index < 0 || index >= count() ? head : order_[std::size_t(index)];
}

OverviewLayout::Range OverviewLayout::visible(double top, double bottom) const {
  const double last_row = rows();
  const double first = std::clamp(std::floor(top / rowPitch()), 0.0, last_row);
  const double last = std::clamp(std::ceil(bottom / rowPitch()), first, last_row);
  return {std::uint32_t(first) * columns_, std::min(std::uint32_t(last) * columns_, count())};
}

double comfortableTile(std::uint32_t layers, std::uint32_t heads, double width, double height) {
  if (layers == 0 || heads == 0) return OverviewLayout::kSmallestTile;
  constexpr double kWidest = 64, kReadable = 23;  // with its gap
  const double by_width = width / heads, by_height = height / layers;
  // Height may scroll, so it only holds the tile back as long as that stays readable.
  const double tile = std::min(by_width, std::max(by_height, kReadable));
  return std::clamp(std::floor(tile - gapOf(tile)), OverviewLayout::kSmallestTile, kWidest);
}

std::uint32_t thumbnailPixels(double tile, double pixel_ratio, std::uint32_t layers, std::uint32_t heads,
                              std::uint32_t max_side) {
  const std::uint32_t most = max_side / std::max({layers, heads, 1u});
  return std::clamp(std::uint32_t(std::lround(tile * pixel_ratio)), 1u, std::max(most, 1u));
}

}  // namespace vitrine::ui::attention
