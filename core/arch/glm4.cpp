// GLM-4-0414 (arXiv 2406.12793): norms before and behind each half of a block, neighbouring rotary pairs in
// half of each head, gate and up in one matrix.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::glm4 {
namespace {

constexpr Key kAttentionBias = {"attention_bias", ""};

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(const bool bias, source.hparams.flagOr(kAttentionBias, true));
  DecoderTraits traits{.default_epsilon = 1.5625e-7,
                       .attention_bias = bias ? AttentionBias::kQkv : AttentionBias::kNone,
                       .mlp = MlpShape::kFused,
                       .rotary = Rotary::kPart,
                       .default_rotary_part = 0.5,
                       .pairing = RopePairing::kInterleaved,
                       .gguf_pairing = RopePairing::kInterleaved,
                       .default_kv_heads = 2,
                       .default_head_dim = 128,
                       .default_context = 131'072};
  traits.names.mixer_post_norm = {"post_self_attn_layernorm", "post_attention_norm"};
  traits.names.channel_post_norm = {"post_mlp_layernorm", "post_ffw_norm"};
  traits.names.up.hf = "mlp.gate_up_proj";
  return readDecoder(source, traits);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"glm4"}, .gguf_names = {"glm4"}, .read = read};

}  // namespace vitrine::core::arch::glm4
