#include "ui/views/attention/head_order.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::attention {

std::string_view name(HeadSort sort) {
  switch (sort) {
    case HeadSort::kLayerHead:
      return "layer, head";
    case HeadSort::kEntropy:
      return "entropy";
    case HeadSort::kFirstMass:
      return "first-token mass";
    case HeadSort::kLocalMass:
      return "local mass";
    case HeadSort::kPrevious:
      return "previous token";
    case HeadSort::kInduction:
      return "induction";
  }
  return "";
}

std::string_view formula(HeadSort sort) {
  switch (sort) {
    case HeadSort::kLayerHead:
      return "One row a layer, one column a head";
    case HeadSort::kEntropy:
      return "Mean over queries of -sum p log2 p, bit";
    case HeadSort::kFirstMass:
      return "Mean probability on the first token, 0 to 1";
    case HeadSort::kLocalMass:
      return "Mean probability on the last 8 keys, 0 to 1";
    case HeadSort::kPrevious:
      return "Mean probability on the token before the query, 0 to 1";
    case HeadSort::kInduction:
      return "Mean probability on the token after an earlier occurrence of the query's token, 0 to 1";
  }
  return "";
}

float metric(const core::HeadSummary& summary, HeadSort sort) {
  switch (sort) {
    case HeadSort::kLayerHead:
      return 0;
    case HeadSort::kEntropy:
      return summary.entropy;
    case HeadSort::kFirstMass:
      return summary.first_mass;
    case HeadSort::kLocalMass:
      return summary.local_mass;
    case HeadSort::kPrevious:
      return summary.previous;
    case HeadSort::kInduction:
      return summary.induction;
  }
  return 0;
}

std::vector<Head> headOrder(std::uint32_t layers, std::uint32_t heads, HeadSort sort,
                            std::span<const core::HeadSummary> summaries) {
  std::vector<Head> order;
  order.reserve(std::size_t(layers) * heads);
  for (std::uint32_t layer = 0; layer < layers; ++layer)
    for (std::uint32_t head = 0; head < heads; ++head) order.push_back({layer, head});
  if (sort == HeadSort::kLayerHead || summaries.size() < order.size()) return order;
  const auto key = [&](const Head& head) {
    const float value = metric(summaries[std::size_t(head.layer) * heads + head.head], sort);
    return std::isnan(value) ? -HUGE_VALF : value;
  };
  std::ranges::stable_sort(order, [&](const Head& a, const Head& b) { return key(a) > key(b); });
  return order;
}

}  // namespace vitrine::ui::attention
