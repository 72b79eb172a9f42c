// A forward pass in double precision on the CPU, written to be obvious: what every other way of running a
// ModelSpec is held against. Quantized weights are expanded exactly. Slow on purpose; one sequence from
// position 0.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core {

// Row-major, so that data() of a (T, d) matrix reads as the tensor of that shape.
using ReferenceMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// What a recurrent mixer with one decay a head and step multiplies: of the heads' outputs before skips and
// norms, y(t) = sum over i <= t of (q(t) . k(i)) gain(i) decay(i + 1) .. decay(t) v(i); see implied_map.h.
struct ReferenceLinearForm {
  std::uint32_t heads = 0, groups = 0;  // heads of a group share q and k
  ReferenceMatrix queries, keys;        // (T, groups * dim)
  ReferenceMatrix log_decay, log_gain;  // (T, heads)
  ReferenceMatrix values, outputs;      // (T, heads * value_dim); outputs as the mixer's scan finds them
};

struct ReferenceLayer {
  std::vector<ReferenceMatrix> attention;  // a head each, (T, T): weights after the softmax, 0 where masked
  ReferenceLinearForm linear;              // of Mamba-2, lightning attention or mLSTM; or without heads
  // (T, kv_heads * head_dim), keys after rope; of latent attention those of each head.
  ReferenceMatrix keys, values;
  // What a recurrent mixer has carried to the last token: (inner, state) of Mamba, (heads * head_dim, state)
  // of Mamba-2, the inputs (kernel - 1, channels) of a short convolution, (3, channels) of RWKV-4,
  // (heads * head_dim, head_dim) of RWKV-7, (1, channels) of Griffin, (heads * values, keys) of linear
  // attention.
  ReferenceMatrix state;
  // What each step keeps of the state, factors in [0, 1]: (T, heads) of Mamba-2 and linear attention,
  // (T, channels) of RWKV-4 and Griffin, (T, heads * keys) of RWKV-7, (T, inner * state) of Mamba.
  ReferenceMatrix decay;
  ReferenceMatrix router;  // (T, experts), logits; empty without a mixture of experts
  std::shared_ptr<const ReferenceMatrix> first_values;  // (T, d) of the first block with RWKV-7's mixer
};

struct ReferencePass {
  std::vector<ReferenceMatrix>
      hidden;  // layers + 1 of (T, d): embedding output first, last after the final norm
  std::vector<ReferenceLayer> layers;
  ReferenceMatrix logits;  // (T, vocab), of the last `logit_rows` positions
};

// `logit_rows`: of how many positions, counted from the end, logits are wanted; 0 means all.
// Errors: kInvalidArgument for an empty sequence or an id outside the vocabulary.
Result<ReferencePass> referenceForward(const ModelSpec& spec, std::span<const std::int32_t> ids,
                                       std::size_t logit_rows = 0);

// The weights of a reference as numbers: (rows, columns).
Result<ReferenceMatrix> expandWeights(const WeightRef& weight);

// Angles of rotary embeddings for row t of `heads` (T, heads * head_dim) at position t, in place.
void applyRope(const Rope& rope, std::uint32_t head_dim, ReferenceMatrix& heads);

}  // namespace vitrine::core
