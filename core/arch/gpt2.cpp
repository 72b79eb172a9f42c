// GPT-2: learned positions, layer norms, q, k and v in one matrix; Hugging Face stores all matrices of the
// blocks as (in, out).
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::gpt2 {
namespace {

constexpr Key kScaled = {"scale_attn_weights", ""};
constexpr Key kByLayer = {"scale_attn_by_inverse_layer_idx", ""};
constexpr Key kCrossAttention = {"add_cross_attention", ""};

DecoderTraits gpt2Traits() {
  DecoderTraits traits{.norm = NormKind::kLayer,
                       .default_epsilon = 1e-5,
                       .qkv = QkvLayout::kStacked,
                       .attention_bias = AttentionBias::kAll,
                       .mlp = MlpShape::kPlain,
                       .mlp_bias = MlpBias::kAll,
                       .default_activation = "gelu_new",
                       .transposed = true,
                       .rotary = Rotary::kNone,
                       .default_context = 1024};
  DecoderNames& names = traits.names;
  names.prefix = "transformer.";
  names.embedding.hf = "wte";
  names.positions = {"wpe", "position_embd"};
  names.final_norm.hf = "ln_f";
  names.block.hf = "h.";
  names.mixer_norm.hf = "ln_1";
  names.qkv.hf = "attn.c_attn";
  names.output.hf = "attn.c_proj";
  names.channel_norm.hf = "ln_2";
  names.up.hf = "mlp.c_fc";
  names.down.hf = "mlp.c_proj";
  DecoderKeys& keys = traits.keys;
  keys.layers.hf = "n_layer";
  keys.embedding.hf = "n_embd";
  keys.heads.hf = "n_head";
  keys.kv_heads.hf = "";
  keys.head_dim.hf = "";
  keys.mlp_width.hf = "n_inner";
  keys.context.hf = "n_positions";
  keys.epsilon = {"layer_norm_epsilon", kLayerNormEpsilon.gguf};
  keys.activation.hf = "activation_function";
  return traits;
}

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(const bool cross, source.hparams.flagOr(kCrossAttention, false));
  if (cross)
    return fail(ErrorCode::kUnsupported, "{}: attention to an encoder is not implemented",
                source.hparams.spelling(kCrossAttention));
  TRY_ASSIGN(const bool scaled, source.hparams.flagOr(kScaled, true));
  TRY_ASSIGN(const bool by_layer, source.hparams.flagOr(kByLayer, false));
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, gpt2Traits()));
  forEachAttention(spec, [&](AttentionSpec& attention, std::uint32_t layer) {
    if (!scaled) attention.scale = 1;
    if (by_layer) attention.scale /= static_cast<float>(layer + 1);
    // The causal masks of old files.
    for (const char* prefix : {"", "transformer."})
      for (const char* mask : {"bias", "masked_bias"})
        source.weights.ignore(fmt::format("{}h.{}.attn.{}", prefix, layer, mask));
  });
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"gpt2"}, .gguf_names = {"gpt2"}, .read = read};

}  // namespace vitrine::core::arch::gpt2
