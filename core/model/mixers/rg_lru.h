// Griffin's recurrent block with the real-gated linear recurrent unit (De et al., arXiv:2402.19427). From the
// input, a gate z and x of `channels` each; x passes a causal convolution:
//   r = sigmoid(W_r x + b_r),   i = sigmoid(W_i x + b_i),   W block-diagonal
//   log a = -8 r softplus(lambda),   h = a h + sqrt(1 - a^2) (i x),   y = W_o (h gelu(z)),
// gelu in its tanh form. The first token has a = 0, and 1 instead of the root.
#pragma once

#include <string_view>

#include "core/model/mixers/causal_conv.h"

namespace vitrine::core {

struct RgLruSpec {
  static constexpr std::string_view kName = "rg-lru";
  std::uint32_t width = 0, channels = 0, blocks = 1;
  Linear gate, input;  // (channels, width): z, x
  CausalConv conv;
  // Of each block in turn, (channels / blocks) rows of inputs by as many columns of outputs: sums run over
  // rows.
  WeightRef recurrence_gate, input_gate;            // (channels, channels / blocks)
  WeightRef recurrence_gate_bias, input_gate_bias;  // (channels)
  WeightRef lambda;                                 // (channels)
  Linear output;                                    // (width, channels)
};

}  // namespace vitrine::core
