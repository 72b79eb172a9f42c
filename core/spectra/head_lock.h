// A change of basis inside of attention heads that leaves what they compute as it is: MergeLock, Wang et al.,
// "Model unmerging: making your models unmergeable for secure model sharing", arXiv:2509.01548.
// For each kv head g an invertible A and B (w, w), w = head_dim, and for the query heads h that share it
//   W_Q,h -> A^T W_Q,h, W_K,g -> A^-1 W_K,g        score q^T R k as it was where A R = R A
//   W_V,g -> B W_V,g,   W_O,h -> W_O,h B^-1        output as it was
// (biases of queries, keys and values alike). R is any rotation of the rotary embedding: on its pairs of
// coordinates A is a rotation times a scale, on the coordinates that do not turn any invertible matrix.
#pragma once

#include <random>
#include <vector>

#include "core/model/model_spec.h"
#include "core/spectra/low_rank_product.h"
#include "core/spectra/replaced_weights.h"

namespace vitrine::core {

struct HeadLock {
  Eigen::MatrixXd a, inverse;  // (w, w)
};

// Orthogonal factors uniform, singular values exp(strength * normal): with strength 0 a rotation. `rope`:
// null where the heads have none.
HeadLock randomHeadLock(std::uint32_t width, const Rope* rope, double strength, std::mt19937_64& random);

// As stored, heads one below the other: query (heads w, d), key and value (kv_heads w, d); output
// (d, heads w).
struct AttentionMatrices {
  Eigen::MatrixXd query, key, value, output;
};
// Errors of reading.
Result<AttentionMatrices> attentionMatrices(const AttentionSpec& attention);

// One a kv head; empty where the layer allows none.
struct AttentionLocks {
  std::vector<HeadLock> qk, vo;
};
// Why queries and keys, or values and outputs, cannot be locked; or empty.
std::string reasonAgainstLock(const AttentionSpec& attention, bool of_scores);
AttentionLocks randomLocks(const AttentionSpec& attention, double strength, std::mt19937_64& random);

AttentionMatrices locked(const AttentionSpec& attention, const AttentionMatrices& matrices,
                         const AttentionLocks& locks);
// Half of both: what merging by averages makes.
AttentionMatrices averaged(const AttentionMatrices& a, const AttentionMatrices& b);

// The layer's heads locked in a model that is run, biases included; with empty locks as they were, in
// float32. Errors of reading.
Result<void> setLocked(const AttentionSpec& attention, const AttentionLocks& locks, ReplacedWeights& to);

// Of raw matrices, without gains and the scores' factor; R at an offset as in head_products.h.
LowRankProduct qkProduct(const AttentionSpec& attention, const AttentionMatrices& matrices,
                         std::uint32_t head, std::int64_t offset);
LowRankProduct ovProduct(const AttentionSpec& attention, const AttentionMatrices& matrices,
                         std::uint32_t head);

// ||A - B||_F without forming either.
Result<double> distanceOf(const LowRankProduct& a, const LowRankProduct& b);

}  // namespace vitrine::core
