#include "ui/views/routing/expert_load.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::ui::routing {

ExpertLoad loadOf(const core::LayerRouting& layer) {
  ExpertLoad load{.share = std::vector<double>(layer.experts)};
  for (const std::uint32_t expert : layer.chosen)
    if (expert < layer.experts) load.share[expert] += 1;
  const double all = std::accumulate(load.share.begin(), load.share.end(), 0.0);
  if (all == 0) return load;
  for (double& share : load.share) {
    share /= all;
    if (share > 0) load.entropy -= share * std::log2(share);
  }
  load.busiest = std::uint32_t(std::ranges::max_element(load.share) - load.share.begin());
  load.imbalance = load.share[load.busiest] * layer.experts;
  return load;
}

std::optional<float> weightOf(const core::LayerRouting& layer, std::uint32_t token, std::uint32_t expert) {
  for (std::size_t i = std::size_t(token) * layer.top_k, end = i + layer.top_k;
       i < end && i < layer.chosen.size(); ++i)
    if (layer.chosen[i] == expert) return layer.weights[i];
  return std::nullopt;
}

std::vector<std::uint32_t> byLoad(const ExpertLoad& load) {
  std::vector<std::uint32_t> order(load.share.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater(), [&](std::uint32_t expert) { return load.share[expert]; });
  return order;
}

}  // namespace vitrine::ui::routing
