// Recording of what each step keeps of a recurrent state (shaders/mixers/decay_store.comp).
#pragma once

#include <limits>

#include "core/engine/forward.h"

namespace vitrine::core {

struct Forward::DecayCall {
  enum class Rule : std::uint32_t { kReady, kSteps, kConstant, kGates };  // RULE of decay_store.comp
  Rule rule = Rule::kReady;
  // Decays, steps before their softplus or forget gates before their sigmoid; a stride of 0: for all tokens.
  Columns x = {};
  std::uint32_t shared_by = 1;       // decays that a column of x gives
  std::uint64_t rate = 0, bias = 0;  // addresses: A of each decay (or its logarithm), of steps the bias or 0
  float scale = 1, least = 0, most = std::numeric_limits<float>::infinity();  // of steps
};

}  // namespace vitrine::core
