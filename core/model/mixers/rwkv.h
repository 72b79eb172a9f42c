// RWKV's time mixing. Every projection reads a blend of this token's input and the one before it:
// shift(x, m) = m x(t) + (1 - m) x(t - 1), or, in RWKV-7's files, x(t) + m (x(t - 1) - x(t)).
//
// RWKV-4 (Peng et al., arXiv:2305.13048), for each channel:
//   wkv(t) = (A + e^(u + k) v) / (B + e^(u + k)),   A = e^w A + e^k v,   B = e^w B + e^k,   w = -e^decay
//   y = W_o (sigmoid(r) wkv)
// A and B are kept divided by e^max, so that nothing overflows: the state is A, B, max.
//
// RWKV-7 (Peng et al., arXiv:2503.14456), for each head with a state S (head_dim values, head_dim keys):
//   w = exp(-e^(-1/2) sigmoid(decay)),   a = sigmoid(rate),   q = k k_k / |k k_k|,   k = k (1 + (a - 1) k_a)
//   S = S diag(w) - (S q) (q a)^T + v k^T
//   y = W_o (g (norm(S r) + (r k r_k) v)),   norm: a layer norm of each head
// and in all blocks but the first v = v + (v of the first block - v) sigmoid(residual).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/model/weight_ref.h"

namespace vitrine::core {

struct Rwkv4Spec {
  static constexpr std::string_view kName = "rwkv4";
  std::uint32_t width = 0, channels = 0;         // of the input, of the state
  WeightRef mix_key, mix_value, mix_receptance;  // (width)
  Linear key, value, receptance;                 // (channels, width)
  Linear output;                                 // (width, channels)
  WeightRef decay, first;                        // (channels): decay, u
  bool decay_is_log = true;                      // w = -e^decay; else w = decay
};

// outer(f(inner(x))) of a low rank, with outer's bias.
struct LowRank {
  Linear inner, outer;  // (rank, width), (width, rank)
  std::uint32_t rank = 0;
};

struct Rwkv7Spec {
  static constexpr std::string_view kName = "rwkv7";
  std::uint32_t width = 0, heads = 0, head_dim = 0;  // width = heads * head_dim
  std::vector<WeightRef> mixes;                      // six of (width): of r, w, k, v, a, g
  Linear receptance, key, value, output;             // (width, width)
  LowRank decay;                                     // f = tanh
  LowRank rate;                                      // f = 1
  std::optional<LowRank> residual;                   // f = 1; not in the first block
  LowRank gate;                                      // f = sigmoid, without bias
  WeightRef key_scale, key_rate, bonus;              // (width): k_k, k_a, r_k
  Norm norm;                                         // (width), of each head
};

}  // namespace vitrine::core
