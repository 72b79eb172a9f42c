// The dense channel mixer.
#pragma once

#include <cstdint>
#include <optional>

#include "core/model/weight_ref.h"

namespace vitrine::core {

enum class Activation { kSilu, kGelu, kGeluTanh, kRelu, kReluSquared, kSigmoid };

struct DenseMlpSpec {  // down(activation(gate(x)) * up(x)); without a gate: down(activation(up(x)))
  std::uint32_t width = 0;
  Activation activation = Activation::kSilu;
  float gate_scale = 1;  // activation(gate_scale * gate(x)) (falcon-h1)
  std::optional<Linear> gate;
  Linear up, down;
};

}  // namespace vitrine::core
