// The plain pre-norm decoder that most families share: RMS norm, grouped attention with rotary embeddings,
// RMS norm, gated MLP. An architecture states its deviations; names, shapes, biases and ties are handled
// here.
#pragma once

#include <cstdint>
#include <vector>

#include "core/arch/architecture.h"
#include "core/arch/support/moe.h"
#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

// Which projections of the attention have a bias in a Hugging Face checkpoint. (In a GGUF file those that are
// there.)
enum class AttentionBias {
  kConfigured,  // q, k, v and o where attention_bias says so
  kQkv,         // q, k and v always
  kNone,
};

enum class QueryKeyNorm { kNone, kRmsPerHead };

// Windows for families that have none in config.json; a GGUF file may still set attention.sliding_window.
Result<std::vector<std::uint32_t>> ggufWindows(const Hparams& hparams, std::uint32_t layers);
// use_sliding_window, sliding_window, max_window_layers, layer_types (qwen2, qwen3).
Result<std::vector<std::uint32_t>> qwenWindows(const Hparams& hparams, std::uint32_t layers);

// layer_types of config.json: `window` where it says sliding_attention.
Result<std::vector<std::uint32_t>> typedWindows(const Hparams& hparams, std::uint32_t layers,
                                                std::uint32_t window);

struct DecoderTraits {
  // How the family's GGUF files store rotary pairs; Hugging Face always stores halves.
  RopePairing gguf_pairing = RopePairing::kHalf;
  AttentionBias attention_bias = AttentionBias::kConfigured;
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;
  // What config.json leaves out when it is so; 0: as many key-value heads as heads, embedding / heads.
  std::uint32_t default_kv_heads = 0, default_head_dim = 0;
  std::uint32_t default_context = 0;
  // The sliding window of each layer, 0 for none.
  Result<std::vector<std::uint32_t>> (*windows)(const Hparams& hparams, std::uint32_t layers) = ggufWindows;
  const MoeTraits* moe = nullptr;  // of layers with a mixture of experts, if the family has them
};

Result<ModelSpec> readDecoder(const Source& source, const DecoderTraits& traits);

}  // namespace vitrine::core::arch
