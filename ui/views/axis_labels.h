// Which tokens of an axis get a label, so that no two overlap. Pure arithmetic, no drawing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace vitrine::ui {

struct AxisLabel {
  std::uint32_t index = 0;
  double at = 0;        // middle of the cell along the axis, logical pixels
  bool marked = false;  // the selected token: always there, others make room for it
};

struct AxisRequest {
  double first_at = 0;      // where the middle of cell 0 lies, logical pixels
  double cell = 1;          // logical pixels a cell
  double from = 0, to = 0;  // the visible part of the axis, logical pixels
  std::uint32_t count = 0;  // tokens
  double spacing = 10;      // least distance between two labels
  std::optional<std::uint32_t> marked;
};

// Every token where there is room, otherwise every 2nd, 5th, 10th, 20th ..., in ascending order.
std::vector<AxisLabel> axisLabels(const AxisRequest& request);

// 1, 2, 5, 10, 20, ..: the smallest with step * cell >= spacing.
std::uint32_t labelStep(double cell, double spacing);

}  // namespace vitrine::ui
