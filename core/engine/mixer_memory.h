// What each kind of mixer and channel mixer takes of a session's memory beyond the buffers that all share:
// its recurrent state, and scratch for a batch. A kind that needs neither has no overload of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/model_spec.h"

namespace vitrine::core {

struct MixerMemory {
  std::uint64_t state = 0;                  // floats, for each place in the model
  std::vector<std::uint64_t> scratch = {};  // floats a token of each buffer; the places share them
  std::vector<std::uint64_t> shown = {};    // shape of what a trace shows: the state's first floats; or empty
  std::vector<std::uint64_t> decays = {};   // shape of the factors by which a step keeps the state; or empty
};

template <typename Kind>
MixerMemory memoryOf(const Kind&) {
  return {};
}

// The buffers of forward_latent.cpp.
enum LatentScratch : std::size_t { kLatentOfQuery, kLatentQuery, kLatentKey, kLatentValues };
inline MixerMemory memoryOf(const AttentionSpec& attention) {
  if (!attention.latent) return {};
  const LatentSpec& latent = *attention.latent;
  const std::uint64_t heads = attention.heads, rotary = attention.head_dim - latent.rank;
  return {.state = 0,
          .scratch = {latent.query ? latent.query->down.weight.rows : 0, heads * (rotary + latent.plain_dim),
                      attention.head_dim, heads * latent.value_dim}};
}

inline std::uint64_t memoryOf(const CausalConv& conv) {
  return std::uint64_t{conv.channels} * (conv.kernel - 1);
}
inline MixerMemory memoryOf(const MambaSpec& mamba) {
  const std::uint64_t inner = mamba.inner, state = mamba.state;
  return {.state = inner * state + memoryOf(mamba.conv),
          .scratch = {2 * inner, mamba.rank + 2 * state, inner},
          .shown = {inner, state},
          .decays = {inner, state}};
}
inline MixerMemory memoryOf(const Mamba2Spec& mamba) {
  const std::uint64_t inner = mamba.inner(), state = mamba.state;
  return {.state = inner * state + memoryOf(mamba.conv),
          .scratch = {mamba.width()},
          .shown = {mamba.heads, mamba.head_dim, state},
          .decays = {mamba.heads}};
}
inline MixerMemory memoryOf(const ShortConvSpec& conv) {
  return {.state = memoryOf(conv.conv),
          .scratch = {3 * std::uint64_t{conv.conv.channels}},
          .shown = {conv.conv.kernel - 1, conv.conv.channels}};
}
// Inputs of several products in one row, each from a whole number of chunks on.
inline std::uint64_t planeFloats(std::uint64_t width) {
  return (width + 31) / 32 * 32;
}
inline MixerMemory memoryOf(const Rwkv4Spec& rwkv) {
  const std::uint64_t width = rwkv.width, channels = rwkv.channels;
  return {.state = 3 * channels + width,
          .scratch = {3 * planeFloats(width), channels, channels, channels},
          .shown = {3, channels},
          .decays = {channels}};
}
// The buffers of forward_rwkv.cpp; the last one keeps the first block's values for the rest of the pass.
inline MixerMemory memoryOf(const Rwkv7Spec& rwkv) {
  const std::uint64_t width = rwkv.width, heads = rwkv.heads;
  MixerMemory memory{.state = width * rwkv.head_dim + width,
                     .scratch = {6 * planeFloats(width)},
                     .shown = {heads, rwkv.head_dim, rwkv.head_dim},
                     .decays = {heads, rwkv.head_dim}};
  memory.scratch.insert(memory.scratch.end(), 7, width);
  const std::uint64_t residual = rwkv.residual ? rwkv.residual->rank : 0;
  memory.scratch.insert(memory.scratch.end(),
                        {rwkv.decay.rank, rwkv.rate.rank, residual, rwkv.gate.rank, heads, width});
  return memory;
}
inline MixerMemory memoryOf(const RwkvChannelSpec& rwkv) {
  const std::uint64_t width = rwkv.width, gated = rwkv.receptance ? width : 0;
  return {.state = width, .scratch = {2 * planeFloats(width), gated, gated}};
}
inline MixerMemory memoryOf(const RgLruSpec& lru) {
  const std::uint64_t channels = lru.channels;
  return {.state = channels + memoryOf(lru.conv),
          .scratch = {channels, channels, channels, channels},
          .shown = {channels},
          .decays = {channels}};
}
// n is a further value of each head; m of all heads stands behind.
inline MixerMemory memoryOf(const MlstmSpec& mlstm) {
  const std::uint64_t heads = mlstm.heads, keys = heads * mlstm.key_dim, values = heads * mlstm.value_dim;
  return {.state = (values + heads) * mlstm.key_dim + heads,
          .scratch = {keys, keys, values, values, heads, heads, heads, values + heads},
          .shown = {heads, std::uint64_t{mlstm.value_dim} + 1, mlstm.key_dim},
          .decays = {heads}};
}
inline MixerMemory memoryOf(const LightningSpec& lightning) {
  const std::uint64_t rows = std::uint64_t{lightning.heads} * lightning.head_dim;
  return {.state = rows * lightning.head_dim,
          .scratch = {rows, rows, rows, rows, rows},
          .shown = {lightning.heads, lightning.head_dim, lightning.head_dim},
          .decays = {lightning.heads}};
}
inline MixerMemory memoryOf(const DeltaNetSpec& delta) {
  const std::uint64_t values = delta.values(), heads = delta.value_heads;
  return {.state = values * delta.key_dim + memoryOf(delta.conv),
          .scratch = {delta.conv.channels, values, heads, heads, values},
          .shown = {heads, delta.value_dim, delta.key_dim},
          .decays = {heads}};
}

// Floats between rows of activations: room for whole chunks of any weight format, so that products may read
// past the last column.
inline std::uint32_t activationStride(std::uint64_t floats) {
  return static_cast<std::uint32_t>((floats + 31) / 32 * 32);
}

// The scratch of a mixture of experts, in its order. A choice is an expert of a token: choice i is token
// i / top_k's. Ids and MoeTile are whole numbers.
enum MoeScratch : std::size_t {
  kMoeLogits,      // (tokens, stride), of the router
  kMoeChosen,      // (tokens, top_k)
  kMoeWeights,     // (tokens, top_k)
  kMoeSorted,      // (choices)
  kMoeTiles,       // MoeTile, where experts < choices: at most 2 for each choice
  kMoeActs,        // (choices, activationStride(width))
  kMoeOutputs,     // (choices, activationStride(d))
  kMoeShared,      // (tokens, activationStride(d))
  kMoeSharedGate,  // (tokens, stride), one number in front
};
inline MixerMemory memoryOf(const MoeSpec& moe) {
  const std::uint64_t top_k = moe.router.top_k, model = activationStride(moe.router.linear.weight.columns);
  return {.state = 0,
          .scratch = {moe.experts.size(), top_k, top_k, top_k, 6 * top_k, top_k * activationStride(moe.width),
                      top_k * model, moe.shared ? model : 0, moe.shared_gate ? 1u : 0u}};
}

// The mixture of a block, or null.
inline const MoeSpec* moeOf(const BlockSpec& block) {
  return block.channel ? std::get_if<MoeSpec>(&*block.channel) : nullptr;
}

inline MixerMemory memoryOf(const MixerSpec& mixer) {
  return std::visit([](const auto& kind) { return memoryOf(kind); }, mixer);
}
inline MixerMemory memoryOf(const ChannelMixerSpec& channel) {
  return std::visit([](const auto& kind) { return memoryOf(kind); }, channel);
}

// Whether anything keeps a state that cannot be cut back to an earlier position.
bool isRecurrent(const ModelSpec& spec);

}  // namespace vitrine::core
