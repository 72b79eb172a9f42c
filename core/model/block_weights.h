// The weights of one block on the device, as the engine's kernels want them. Each kind of mixer and channel
// mixer has its struct and its upload(); a kind of its own file lies beside its spec.
#pragma once

#include <variant>

#include "core/model/linear_attention_weights.h"
#include "core/model/mamba_weights.h"
#include "core/model/model_spec.h"
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
  std::vector<Part> qkv;  // one part, or several where the stored types differ
  Matrix output;
  gpu::Buffer query_gain, key_gain;  // (head_dim) f32, empty without QK norm
};

struct MlpWeights {
  std::optional<Matrix> gate_up;   // rows gate 0, up 0, gate 1, up 1 ..
  std::optional<Matrix> gate, up;  // apart where their types differ; up alone without a gate
  Matrix down;
};

// The alternatives of MixerSpec, in its order.
using MixerWeights =
    std::variant<AttentionWeights, MambaWeights, Mamba2Weights, ShortConvWeights, Rwkv4Weights, Rwkv7Weights,
                 RgLruWeights, MlstmWeights, LightningWeights, DeltaNetWeights>;
using ChannelWeights = std::variant<MlpWeights, RwkvChannelWeights>;  // those of ChannelMixerSpec

struct BlockWeights {
  std::optional<NormWeights> mixer_norm, mixer_post_norm, channel_norm, channel_post_norm;
  std::vector<MixerWeights> mixers;
  std::optional<ChannelWeights> channel;
};

Result<AttentionWeights> upload(WeightLoader& loader, const AttentionSpec& spec);
Result<MlpWeights> upload(WeightLoader& loader, const DenseMlpSpec& spec);
Result<BlockWeights> upload(WeightLoader& loader, const BlockSpec& spec, std::uint32_t embedding_dim);

}  // namespace vitrine::core
