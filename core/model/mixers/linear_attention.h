// Linear attention with a matrix S (values, keys) for each head.
#pragma once

#include <string_view>
#include <vector>

#include "core/model/mixers/causal_conv.h"

namespace vitrine::core {

// xLSTM's matrix memory (Beck et al., arXiv:2405.04517, 2503.13427): gates i and f a head, soft-capped,
//   m' = max(log sigmoid(f) + m, i),   S = e^(log sigmoid(f) + m - m') S + e^(i - m') v k^T,   n alike for v
//   = 1 h = S q / (max(|n q|, e^-m') + least),   q scaled by 1 / sqrt(key_dim) y = W_o (sigmoid(o) norm(h)),
//   norm: a layer norm of each head
struct MlstmSpec {
  static constexpr std::string_view kName = "mlstm";
  std::uint32_t width = 0, heads = 0, key_dim = 0, value_dim = 0;  // dims of a head
  Linear query, key, value;                                        // (heads * dim, width)
  Linear output_gate;                                              // (heads * value_dim, width)
  Linear input_gate, forget_gate;                                  // (heads, width)
  float gate_soft_cap = 0;                                         // of input and forget gate; 0: none
  float least = 0;
  Norm norm;      // (heads * value_dim)
  Linear output;  // (width, heads * value_dim)
};

// Lightning attention (Qin et al., arXiv:2401.04658) as MiniMax-01 has it (arXiv:2501.08313):
//   q, k, v = silu(W x),   S = e^-slope S + v k^T,   y = W_o (sigmoid(gate) norm(S q)),   norm: RMS, all
//   heads
struct LightningSpec {
  static constexpr std::string_view kName = "lightning";
  std::uint32_t width = 0, heads = 0, head_dim = 0;
  Linear query, key, value, gate;  // (heads * head_dim, width)
  std::vector<float> slopes;       // a head each
  Norm norm;                       // (heads * head_dim)
  Linear output;                   // (width, heads * head_dim)
};

// Gated DeltaNet (Yang et al., arXiv:2412.06464) as Qwen3-Next has it: q, k and v pass a causal convolution
// and SiLU, q and k are brought to length 1, groups of value heads share them:
//   d = exp(-e^decay softplus(a + dt_bias)),   beta = sigmoid(b),   S = d S,   S = S + beta (v - S k) k^T
//   y = W_o (norm(S q) silu(z)),   q scaled by 1 / sqrt(key_dim), norm: RMS of each head
struct DeltaNetSpec {
  static constexpr std::string_view kName = "gated deltanet";
  std::uint32_t width = 0, key_heads = 0, value_heads = 0, key_dim = 0, value_dim = 0;
  Linear query, key;         // (key_heads * key_dim, width)
  Linear value, gate;        // (value_heads * value_dim, width): v, z
  Linear beta, step;         // (value_heads, width): b, a
  CausalConv conv;           // of q, k, v
  WeightRef decay, dt_bias;  // (value_heads)
  bool decay_is_log = true;  // false: of the stored numbers -exp has been taken, as llama.cpp does
  Norm norm;                 // (value_dim), the same for each head
  Linear output;             // (width, value_heads * value_dim)

  static constexpr float kUnitEpsilon = 1e-6f;  // under the root of the lengths of q and k

  std::uint32_t keys() const { return key_heads * key_dim; }
  std::uint32_t values() const { return value_heads * value_dim; }
};

}  // namespace vitrine::core
