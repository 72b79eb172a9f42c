// The weights of one block on the device, as the engine's kernels want them. Each kind of mixer and channel
// mixer has its struct and its upload(); a kind of its own file lies beside its spec.
#pragma once

#include <variant>

#include "core/model/latent_weights.h"
#include "core/model/linear_attention_weights.h"
#include "core/model/mamba_weights.h"
#include "core/model/mlp_weights.h"
#include "core/model/model_spec.h"
#include "core/model/moe_weights.h"
#include "core/model/rwkv_weights.h"
#include "core/model/weight_loader.h"

namespace vitrine::core {

// q, k and v rows in one matrix where their types agree; those of q and k in the order in which rotary pairs
// are adjacent.
struct AttentionWeights {
  struct Part {
    Matrix matrix;
    std::uint32_t first_row = 0;  // in the concatenated q, k, v rows
  };
  std::vector<Part> qkv;                // one part, or several where the stored types differ
  std::optional<LatentWeights> latent;  // instead of qkv
  Matrix output;
  std::optional<Matrix> gate;        // sigmoid gates of the heads' outputs
  gpu::Buffer query_gain, key_gain;  // as long as the norm is wide, f32; empty without QK norm
  gpu::Buffer head_terms;            // (2, heads) f32: ALiBi slopes, then sinks; empty without either
};

// The alternatives of MixerSpec, in its order.
using MixerWeights =
    std::variant<AttentionWeights, MambaWeights, Mamba2Weights, ShortConvWeights, Rwkv4Weights, Rwkv7Weights,
                 RgLruWeights, MlstmWeights, LightningWeights, DeltaNetWeights>;
using ChannelWeights = std::variant<MlpWeights, MoeWeights, RwkvChannelWeights>;  // those of ChannelMixerSpec

struct BlockWeights {
  std::optional<NormWeights> mixer_norm, mixer_post_norm, channel_norm, channel_post_norm;
  std::vector<MixerWeights> mixers;
  std::optional<ChannelWeights> channel;
};

Result<AttentionWeights> upload(WeightLoader& loader, const AttentionSpec& spec);
Result<BlockWeights> upload(WeightLoader& loader, const BlockSpec& spec, std::uint32_t embedding_dim);

}  // namespace vitrine::core
