// Recording of what the map of a recurrent mixer is computed from (shaders/mixers/implied_*.comp).
#pragma once

#include "core/engine/forward.h"

namespace vitrine::core {

struct Forward::ImpliedCall {
  enum class Rule : std::uint32_t { kSteps, kConstant, kGates };  // RULE of implied_terms.comp
  Rule rule = Rule::kConstant;
  Columns q, k;                          // groups of the source's width side by side
  Columns write, keep;                   // steps, or input and forget gates before their exponentials
  std::uint64_t decay = 0, bias = 0;     // addresses, (heads) f32: A and the steps' bias, or log decays
  float scale = 1, least = 0, most = 0;  // of steps
};

}  // namespace vitrine::core
