#include "ui/views/spectra/series_selection.h"

#include <algorithm>

namespace vitrine::ui::spectra {

std::optional<Series> SeriesSelection::find(std::size_t matrix) const {
  const auto found = std::ranges::find(series_, matrix, &Series::matrix);
  return found == series_.end() ? std::nullopt : std::optional(*found);
}

void SeriesSelection::clear() {
  series_.clear();
  cursor_ = anchor_ = std::nullopt;
}

void SeriesSelection::add(std::size_t matrix) {
  if (find(matrix)) return;
  if (series_.size() == kMostSeries) series_.pop_back();
  std::size_t number = 0;
  while (std::ranges::find(series_, number, &Series::number) != series_.end()) ++number;
  series_.push_back({matrix, number});
}

void SeriesSelection::choose(std::size_t matrix) {
  series_.clear();
  add(matrix);
  cursor_ = anchor_ = matrix;
}

void SeriesSelection::chooseAll(std::span<const std::size_t> matrices) {
  clear();
  for (const std::size_t matrix : matrices.first(std::min(matrices.size(), kMostSeries))) add(matrix);
  if (!series_.empty()) cursor_ = anchor_ = series_.front().matrix;
}

void SeriesSelection::toggle(std::size_t matrix) {
  if (std::erase_if(series_, [&](const Series& one) { return one.matrix == matrix; }) == 0) add(matrix);
  cursor_ = anchor_ = matrix;
}

void SeriesSelection::extendTo(std::size_t matrix, std::span<const std::size_t> order) {
  const auto to = std::ranges::find(order, matrix);
  const auto from = anchor_ ? std::ranges::find(order, *anchor_) : order.end();
  if (to == order.end()) return;
  if (from == order.end()) return choose(matrix);
  const auto anchor = anchor_;
  series_.clear();
  const std::ptrdiff_t step = to < from ? -1 : 1;
  for (auto at = from; series_.size() < kMostSeries; at += step) {
    add(*at);
    if (at == to) break;
  }
  cursor_ = matrix;
  anchor_ = anchor;
}

std::optional<std::size_t> SeriesSelection::target(std::ptrdiff_t rows,
                                                   std::span<const std::size_t> order) const {
  if (order.empty()) return std::nullopt;
  const auto at = cursor_ ? std::ranges::find(order, *cursor_) : order.end();
  if (at == order.end()) return order.front();
  const auto last = static_cast<std::ptrdiff_t>(order.size()) - 1;
  return order[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at - order.begin() + rows, 0, last))];
}

void SeriesSelection::move(std::ptrdiff_t rows, std::span<const std::size_t> order) {
  if (const auto matrix = target(rows, order)) choose(*matrix);
}

void SeriesSelection::extend(std::ptrdiff_t rows, std::span<const std::size_t> order) {
  if (const auto matrix = target(rows, order)) extendTo(*matrix, order);
}

}  // namespace vitrine::ui::spectra
