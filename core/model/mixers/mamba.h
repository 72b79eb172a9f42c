// Mamba's selective state space (Gu and Dao, arXiv:2312.00752). From the input, x and z of `inner` channels;
// x passes a causal convolution and SiLU and gives, for each token, a step and the vectors B and C:
//   dt = softplus(step(dt')),   h = exp(dt A) h + dt B x,   y = (C h + D x) silu(z)
// with a state h of `state` numbers for each channel.
#pragma once

#include <string_view>

#include <optional>

#include "core/model/mixers/causal_conv.h"

namespace vitrine::core {

struct MambaSpec {
  static constexpr std::string_view kName = "mamba";
  std::uint32_t inner = 0, state = 0, rank = 0;
  Linear input;       // (2 inner, d): x, then z
  CausalConv conv;    // of x
  Linear parameters;  // (rank + 2 state, inner): dt', B, C
  // RMS norms without gain over dt', B and C, each for itself, with this epsilon (Falcon-Mamba,
  // arXiv:2410.05355).
  std::optional<float> parameters_epsilon;
  Linear step;                // (inner, rank), with bias
  WeightRef decay;            // (inner, state)
  bool decay_is_log = false;  // A = -exp(decay), as Hugging Face stores it; else A = decay, as llama.cpp does
  WeightRef skip;             // (inner): D
  Linear output;              // (d, inner)
};

}  // namespace vitrine::core
