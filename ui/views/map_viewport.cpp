#include "ui/views/map_viewport.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace vitrine::ui {

namespace {
// Cells of a whole number of device pixels look equal; below this size the lost room would weigh more.
constexpr double kSnapFrom = 8;  // device pixels
constexpr double kEaseSeconds = 0.035;
}  // namespace

std::uint32_t fittedCells(std::uint32_t tokens, Growth growth) {
  if (growth == Growth::kAtRest || tokens == 0) return tokens;
  const std::uint32_t step = std::max(8u, std::bit_floor(tokens) / 8);
  return (tokens + step - 1) / step * step;
}

void MapViewport::setArea(const Rect& area, double pixel_ratio) {
  if (area == area_ && pixel_ratio == pixel_ratio_) return;
  // What stood in the area's corner stays there: a resized dock does not move the map's content.
  wanted_.left += area.x0 - area_.x0;
  wanted_.top += area.y0 - area_.y0;
  area_ = area;
  pixel_ratio_ = pixel_ratio;
  wanted_ = fitted_ ? fittedState() : clamped(wanted_);
  shown_ = wanted_;
}

void MapViewport::setCells(std::uint32_t cells) {
  if (cells == cells_) return;
  const bool was_empty = cells_ == 0;
  cells_ = cells;
  if (was_empty) fitted_ = true;
  wanted_ = fitted_ ? fittedState() : clamped(wanted_);
  if (was_empty || !placed_) shown_ = wanted_;
  placed_ = cells_ > 0 && !area_.empty();
}

void MapViewport::fit() {
  fitted_ = true;
  wanted_ = fittedState();
}

void MapViewport::zoomAt(Point at, double factor) {
  if (cells_ == 0) return;
  const double smallest = fitSize();
  const double size = std::clamp(wanted_.size * factor, smallest, std::max(smallest, kLargestCell));
  fitted_ = factor < 1 ? size <= smallest : fitted_ && size <= smallest;
  if (fitted_) {
    wanted_ = fittedState();
    return;
  }
  // A point beside a small map zooms about the map's nearest edge.
  const double key = std::clamp((at.x - wanted_.left) / wanted_.size, 0.0, double(cells_));
  const double query = std::clamp((at.y - wanted_.top) / wanted_.size, 0.0, double(cells_));
  const double x = wanted_.left + key * wanted_.size, y = wanted_.top + query * wanted_.size;
  wanted_ = clamped({size, x - key * size, y - query * size});
}

void MapViewport::setCellSize(double pixels) {
  if (wanted_.size > 0) zoomAt(plot().center(), pixels / wanted_.size);
}

void MapViewport::panBy(double dx, double dy) {
  wanted_.left += dx;
  wanted_.top += dy;
  wanted_ = fitted_ ? fittedState() : clamped(wanted_);
  shown_ = wanted_;  // a dragged map sticks to the pointer
}

void MapViewport::showCell(std::uint32_t query, std::uint32_t key) {
  auto into = [size = wanted_.size](double& origin, double index, double low, double high) {
    origin += std::max(0.0, low - (origin + index * size));
    origin += std::min(0.0, high - (origin + (index + 1) * size));
  };
  into(wanted_.left, key, area_.x0, area_.x1);
  into(wanted_.top, query, area_.y0, area_.y1);
  wanted_ = fitted_ ? fittedState() : clamped(wanted_);
}

bool MapViewport::advance(double seconds) {
  const double t = 1 - std::exp(-seconds / kEaseSeconds);
  auto ease = [t](double& shown, double wanted) { shown += (wanted - shown) * t; };
  ease(shown_.size, wanted_.size);
  ease(shown_.left, wanted_.left);
  ease(shown_.top, wanted_.top);
  const double half_pixel = 0.5 / pixel_ratio_, span = std::max<double>(cells_, 1);
  const bool near = std::abs(shown_.left - wanted_.left) < half_pixel &&
                    std::abs(shown_.top - wanted_.top) < half_pixel &&
                    std::abs(shown_.size - wanted_.size) * span < half_pixel;
  if (near) shown_ = wanted_;
  return !near;
}

void MapViewport::finishAnimation() {
  shown_ = wanted_;
}

Rect MapViewport::plot() const {
  const Rect map{xOf(0), yOf(0), xOf(cells_), yOf(cells_)};
  return map.intersected(area_);
}

Rect MapViewport::visibleCells() const {
  const Rect seen = plot();
  const Rect cells{keyAt(seen.x0), queryAt(seen.y0), keyAt(seen.x1), queryAt(seen.y1)};
  // Edges of the map are exact, so that a fitted map always asks for the same region.
  return {seen.x0 <= xOf(0) ? 0 : cells.x0, seen.y0 <= yOf(0) ? 0 : cells.y0,
          seen.x1 >= xOf(cells_) ? double(cells_) : cells.x1,
          seen.y1 >= yOf(cells_) ? double(cells_) : cells.y1};
}

Rect MapViewport::cellRect(std::uint32_t query, std::uint32_t key) const {
  return {xOf(key), yOf(query), xOf(key + 1.0), yOf(query + 1.0)};
}

double MapViewport::fitSize() const {
  if (cells_ == 0 || area_.empty()) return 1;
  const double pixels = std::min(area_.width(), area_.height()) * pixel_ratio_ / cells_;
  const double snapped = pixels >= kSnapFrom ? std::floor(pixels) : pixels;
  return std::min(snapped / pixel_ratio_, kLargestCell);
}

MapViewport::State MapViewport::fittedState() const {
  return clamped({fitSize(), area_.x0, area_.y0});
}

MapViewport::State MapViewport::clamped(State state) const {
  const double smallest = fitSize();
  state.size = std::clamp(state.size, smallest, std::max(smallest, kLargestCell));
  const double side = state.size * cells_;
  const double spare_x = area_.width() - side, spare_y = area_.height() - side;
  state.left = spare_x >= 0 ? area_.x0 + spare_x / 2 : std::clamp(state.left, area_.x1 - side, area_.x0);
  state.top = spare_y >= 0 ? area_.y0 : std::clamp(state.top, area_.y1 - side, area_.y0);
  // Whole device pixels: labels and grid lines stay crisp.
  state.left = std::round(state.left * pixel_ratio_) / pixel_ratio_;
  state.top = std::round(state.top * pixel_ratio_) / pixel_ratio_;
  return state;
}

}  // namespace vitrine::ui
