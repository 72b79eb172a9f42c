// How a layer's router has spread the tokens over its experts. Pure arithmetic, no drawing.
#pragma once

#include <optional>
#include <vector>

#include "core/engine/engine_types.h"

namespace vitrine::ui::routing {

struct ExpertLoad {
  std::vector<double> share;  // (experts) of all choices; sums to 1
  double entropy = 0;         // bits; log2(experts) when all are used alike
  std::uint32_t busiest = 0;
  double imbalance = 0;  // the busiest one's share over the mean share
};

ExpertLoad loadOf(const core::LayerRouting& layer);

// The weight with which the token's output takes the expert's; nothing where it was not chosen.
std::optional<float> weightOf(const core::LayerRouting& layer, std::uint32_t token, std::uint32_t expert);

// Experts by falling share, equal ones by number.
std::vector<std::uint32_t> byLoad(const ExpertLoad& load);

}  // namespace vitrine::ui::routing
