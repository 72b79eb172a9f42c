// Sparse mixture of experts (Shazeer et al., arXiv:1701.06538): a router chooses top_k of many gated MLPs for
// each token and adds their outputs, weighted. y = sum over chosen e of weight(e) expert(e, x), plus a shared
// expert that every token passes where there is one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/model/channels/dense_mlp.h"
#include "core/model/weight_ref.h"

namespace vitrine::core {

enum class RouterScores {
  kSoftmax,        // over all experts, before the choice
  kChosenSoftmax,  // over the chosen experts' logits (granite, gpt-oss)
  kSigmoid,        // of each logit (deepseek-v3, dots1)
};
enum class GroupScore { kMax, kTopTwoSum };  // of a group: of its experts' choice values

// Which experts a token takes, and how much of each. The choice value of an expert is its score (its logit
// for kChosenSoftmax) plus its correction; of equal values the first expert wins. Only experts of the
// top_groups best groups stand for choice.
struct RouterSpec {
  Linear linear;  // (experts, d)
  RouterScores scores = RouterScores::kSoftmax;
  WeightRef correction;                      // (experts), for the choice alone (deepseek-v3); or empty
  std::uint32_t groups = 1, top_groups = 1;  // of neighbouring experts, at most 32
  GroupScore group_score = GroupScore::kMax;
  std::uint32_t top_k = 1;
  bool normalize = false;  // divides the chosen scores by their sum + epsilon
  float epsilon = 0;
  float scale = 1;  // of the weights, at last
};

// down(activation(gate(x)) * up(x)). The gate and up rows lie apart, or in one matrix in turn: gate 0, up 0,
// gate 1 ..
struct ExpertSpec {
  std::optional<Linear> gate, up;  // (width, d) each
  std::optional<Linear> gate_up;   // (2 width, d)
  Linear down;                     // (d, width)
};

// gpt-oss: g = min(gate, limit), u = clamp(up, -limit, limit); g sigmoid(alpha g) (u + 1) goes down.
struct ClampedGlu {
  float alpha = 0, limit = 0;
};

struct MoeSpec {
  RouterSpec router;
  std::uint32_t width = 0;  // of an expert
  Activation activation = Activation::kSilu;
  std::optional<ClampedGlu> clamped;  // instead of the activation
  std::vector<ExpertSpec> experts;
  std::optional<DenseMlpSpec> shared;
  std::optional<Linear> shared_gate;  // (1, d): the shared expert's output times sigmoid(gate)
};

}  // namespace vitrine::core
