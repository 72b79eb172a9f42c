// Which matrices are drawn as curves: up to six, each with a number that gives it colour and marker and that
// it keeps while others come and go. Pure arithmetic, no drawing.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace vitrine::ui::spectra {

inline constexpr std::size_t kMostSeries = 6;

struct Series {
  std::size_t matrix = 0;
  std::size_t number = 0;  // below kMostSeries, of no other
  bool operator==(const Series&) const = default;
};

class SeriesSelection {
 public:
  const std::vector<Series>& series() const { return series_; }  // in the order in which they were chosen
  bool empty() const { return series_.empty(); }
  std::optional<Series> find(std::size_t matrix) const;
  // What the arrow keys move: the matrix chosen last.
  std::optional<std::size_t> cursor() const { return cursor_; }

  void clear();
  void choose(std::size_t matrix);                        // it alone, with number 0
  void chooseAll(std::span<const std::size_t> matrices);  // the first six
  // Adds it, or takes it away; a seventh takes the place of the newest.
  void toggle(std::size_t matrix);
  // `order` is what the list shows: from the matrix chosen last by another way to this one, the nearest six.
  void extendTo(std::size_t matrix, std::span<const std::size_t> order);
  // From the cursor by so many rows, kept within the list; without a cursor the first row.
  void move(std::ptrdiff_t rows, std::span<const std::size_t> order);
  void extend(std::ptrdiff_t rows, std::span<const std::size_t> order);

 private:
  void add(std::size_t matrix);
  std::optional<std::size_t> target(std::ptrdiff_t rows, std::span<const std::size_t> order) const;

  std::vector<Series> series_;
  std::optional<std::size_t> cursor_, anchor_;
};

}  // namespace vitrine::ui::spectra
