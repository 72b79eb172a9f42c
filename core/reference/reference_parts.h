// What the parts of the reference share, and the mixers that have a file of their own.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/reference/reference.h"

namespace vitrine::core {

// y = x W^T + b, and what adapters add.
Result<ReferenceMatrix> apply(const Linear& linear, const ReferenceMatrix& x);
// Normalizes each run of `width` columns of each row.
Result<ReferenceMatrix> apply(const Norm& norm, ReferenceMatrix x, Eigen::Index width);
double activate(Activation activation, double x);

inline double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
inline double silu(double x) {
  return x * sigmoid(x);
}
inline double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
// 0 caps nothing.
inline double softCap(double x, double cap) {
  return cap > 0 ? cap * std::tanh(x / cap) : x;
}

// Each channel convolved over time.
Result<ReferenceMatrix> convolve(const CausalConv& conv, const ReferenceMatrix& x);

// What an attention multiplies: the columns are heads side by side, queries of the heads, keys and values of
// the kv heads.
struct ReferenceHeads {
  ReferenceMatrix queries, keys, values;
  std::uint32_t kv_heads = 0;
};
Result<ReferenceHeads> latentHeads(const AttentionSpec& spec, const ReferenceMatrix& x);

// A mixer's output for its (normalized) input (T, d).
Result<ReferenceMatrix> mix(const DenseMlpSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const MoeSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const MambaSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const Mamba2Spec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const ShortConvSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const Rwkv4Spec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const Rwkv7Spec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const RwkvChannelSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const RgLruSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const MlstmSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const LightningSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);
Result<ReferenceMatrix> mix(const DeltaNetSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer);

}  // namespace vitrine::core
