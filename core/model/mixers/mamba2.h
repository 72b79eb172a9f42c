// Mamba-2 (Dao and Gu, arXiv:2405.21060): the state space has one decay for each head, a head's state is a
// matrix (head_dim, state), and heads share B and C in groups. The input gives z, x, B, C and dt at once;
// x, B and C pass a causal convolution and SiLU:
//   dt = clamp(softplus(dt' + bias)),   h = exp(dt A) h + dt x B^T,   y = norm(h C + D x, z)
#pragma once

#include <string_view>

#include <limits>
#include <optional>

#include "core/model/mixers/causal_conv.h"

namespace vitrine::core {

struct Mamba2Spec {
  static constexpr std::string_view kName = "mamba2";
  std::uint32_t heads = 0, head_dim = 0, state = 0, groups = 1;
  // The mixer's input is multiplied with input_scale; z, x, B, C and dt, biases and all, as they leave its
  // product (falcon-h1).
  struct Scales {
    float z = 1, x = 1, b = 1, c = 1, dt = 1;
  };
  Scales scales;
  float input_scale = 1;
  Linear input;       // (inner + channels + heads, d): z, then x, B, C, then dt
  CausalConv conv;    // of x, B, C: `channels` = inner + 2 groups * state
  WeightRef dt_bias;  // (heads)
  float least_dt = 0, most_dt = std::numeric_limits<float>::infinity();
  WeightRef decay;            // (heads)
  bool decay_is_log = false;  // as MambaSpec's
  WeightRef skip;             // (heads): D
  // RMS norm over each of norm_groups equal parts of y, with z: norm(y silu(z)), or norm(y) silu(z) where the
  // norm stands before the gate; without a norm y silu(z).
  std::optional<Norm> norm;  // gain (inner)
  std::uint32_t norm_groups = 1;
  bool norm_before_gate = false;
  Linear output;  // (d, inner)

  std::uint32_t inner() const { return heads * head_dim; }
  std::uint32_t width() const { return inner() + conv.channels + heads; }  // rows of `input`
};

}  // namespace vitrine::core
