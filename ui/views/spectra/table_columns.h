// Which columns the table of matrices has room for. Pure arithmetic, no drawing.
#pragma once

#include <optional>
#include <vector>

#include "ui/views/geometry.h"
#include "ui/views/spectra/metric.h"

namespace vitrine::ui::spectra {

inline constexpr double kTablePad = 12;  // before the first column

// A column and its place; the sparkline has no metric.
struct TableColumn {
  std::optional<Metric> metric;
  double x0 = 0, x1 = 0;
};
// The columns that have room, the name's taking what is left; a number that is sorted by always has some.
// Of a comparison with adapters their ranks are a column.
std::vector<TableColumn> tableColumns(const Rect& area, Metric sorted_by, Subject subject = Subject::kWeights,
                                      bool adapters = false);

}  // namespace vitrine::ui::spectra
