#include "ui/views/axis_labels.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui {

std::uint32_t labelStep(double cell, double spacing) {
  for (std::uint64_t decade = 1;; decade *= 10)
    for (std::uint64_t factor : {1, 2, 5})
      if (double(decade * factor) * cell >= spacing || decade >= 1'000'000'000)
        return std::uint32_t(decade * factor);
}

std::vector<AxisLabel> axisLabels(const AxisRequest& request) {
  std::vector<AxisLabel> labels;
  if (request.count == 0 || request.cell <= 0 || request.to <= request.from) return labels;
  const auto position = [&](std::uint32_t index) { return request.first_at + index * request.cell; };
  const auto visible = [&](std::uint32_t index) {
    return position(index) >= request.from && position(index) <= request.to;
  };
  const std::uint32_t step = labelStep(request.cell, request.spacing);
  const double first = std::ceil((request.from - request.first_at) / request.cell);
  const double last = std::floor((request.to - request.first_at) / request.cell);
  const bool mark = request.marked && *request.marked < request.count && visible(*request.marked);
  if (last >= 0 && first < request.count) {
    const auto begin = std::uint32_t(std::max(first, 0.0));
    const auto end = std::uint32_t(std::min<double>(last, request.count - 1.0));
    for (std::uint64_t index = (begin + step - 1) / step * std::uint64_t(step); index <= end; index += step) {
      const double at = position(std::uint32_t(index));
      if (mark && std::abs(at - position(*request.marked)) < request.spacing) continue;
      labels.push_back({std::uint32_t(index), at, false});
    }
  }
  if (mark) {
    const AxisLabel label{*request.marked, position(*request.marked), true};
    labels.insert(std::ranges::upper_bound(labels, label.index, {}, &AxisLabel::index), label);
  }
  return labels;
}

}  // namespace vitrine::ui
