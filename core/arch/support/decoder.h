// The decoder that most families share: norms, grouped attention with rotary embeddings, MLP. An architecture
// states its deviations in names and storage; names, shapes, biases and ties are handled here. What is left
// (multipliers, soft caps, parallel blocks) it sets in the ModelSpec that it gets back.
#pragma once

#include <cstdint>
#include <vector>

#include "core/arch/architecture.h"
#include "core/arch/support/decoder_names.h"
#include "core/arch/support/moe.h"
#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

// Which projections have a bias in a Hugging Face checkpoint. (In a GGUF file those that are there.)
enum class AttentionBias {
  kConfigured,  // q, k, v and o where attention_bias says so
  kQkv,         // q, k and v always
  kAll,
  kNone,
};
enum class MlpBias {
  kConfigured,  // where mlp_bias says so
  kAll,
};

enum class QueryKeyNorm { kNone, kRmsPerHead, kRmsOverAllHeads };

// How Hugging Face stores q, k and v. (A GGUF file with attn_qkv stacks them.)
enum class QkvLayout {
  kApart,
  kStacked,     // all of q, then k, then v
  kHeadByHead,  // q, k and v of each head in turn
};

enum class MlpShape {
  kGated,
  kFused,  // gated, with gate and up below each other in one tensor
  kPlain,
};

enum class Rotary {
  kWhole,  // whole heads
  kPart,   // the leading partial_rotary_factor of each
  kNone,
};

// Windows for families that have none in config.json; a GGUF file may still set attention.sliding_window.
Result<std::vector<std::uint32_t>> ggufWindows(const Hparams& hparams, std::uint32_t layers);
// use_sliding_window, sliding_window, max_window_layers, layer_types (qwen2, qwen3, smollm3).
Result<std::vector<std::uint32_t>> qwenWindows(const Hparams& hparams, std::uint32_t layers);
// sliding_window in all layers, where there is one (phi3, starcoder2).
Result<std::vector<std::uint32_t>> commonWindow(const Hparams& hparams, std::uint32_t layers);
// A window in all layers but those of layer_types that have none, or but every `period`-th (gemma2, gemma3).
struct PeriodicWindow {
  std::uint32_t period = 1, window = 0;  // where the file does not say
};
Result<std::vector<std::uint32_t>> periodicWindows(const Hparams& hparams, std::uint32_t layers,
                                                   PeriodicWindow otherwise);

// layer_types of config.json: `window` where it says sliding_attention.
Result<std::vector<std::uint32_t>> typedWindows(const Hparams& hparams, std::uint32_t layers,
                                                std::uint32_t window);

struct DecoderTraits {
  DecoderNames names;
  DecoderKeys keys;
  NormKind norm = NormKind::kRms;
  float norm_gain_offset = 0;  // of Hugging Face's files; GGUF's have it in the weights
  double default_epsilon = 1e-6;
  QkvLayout qkv = QkvLayout::kApart;
  AttentionBias attention_bias = AttentionBias::kConfigured;
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;
  MlpShape mlp = MlpShape::kGated;
  MlpBias mlp_bias = MlpBias::kConfigured;
  std::string_view default_activation = "silu";
  bool head_bias = false;
  bool transposed = false;  // Hugging Face stores the blocks' matrices as (in, out)
  Rotary rotary = Rotary::kWhole;
  double default_rotary_part = 1;
  // How rotary pairs are stored.
  RopePairing pairing = RopePairing::kHalf, gguf_pairing = RopePairing::kHalf;
  // What config.json leaves out when it is so; 0: as many key-value heads as heads, embedding / heads,
  // embedding * 4.
  std::uint32_t default_kv_heads = 0, default_head_dim = 0;
  std::uint32_t default_context = 0;
  double default_theta = 10'000;
  std::string_view rope_layer_type = "";  // see RopeShape::layer_type
  bool gguf_truncates = true;             // see RopeShape
  // The sliding window of each layer, 0 for none.
  Result<std::vector<std::uint32_t>> (*windows)(const Hparams& hparams, std::uint32_t layers) = ggufWindows;
  const MoeTraits* moe = nullptr;  // of layers with a mixture of experts, if the family has them
};

Result<ModelSpec> readDecoder(const Source& source, const DecoderTraits& traits);

// Makes the channel mixer of each block read the norm of the block's input: a norm of its own, or, where the
// decoder was read without one, the mixer's.
void runInParallel(ModelSpec& spec);

// The attention of each block, to set what readDecoder does not know.
template <typename Change>
void forEachAttention(ModelSpec& spec, Change change) {
  for (std::uint32_t layer = 0; BlockSpec & block : spec.blocks) {
    for (MixerSpec& mixer : block.mixers)
      if (auto* attention = std::get_if<AttentionSpec>(&mixer)) change(*attention, layer);
    ++layer;
  }
}

}  // namespace vitrine::core::arch
