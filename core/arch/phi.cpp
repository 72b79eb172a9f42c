// Phi-1, 1.5 and 2 (arXiv 2309.05463): attention and MLP side by side behind one layer norm, heads that turn
// in part, biases everywhere, that of the head included.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::phi {
namespace {

constexpr Key kQueryKeyNorm = {"qk_layernorm", ""};

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(const bool normed, source.hparams.flagOr(kQueryKeyNorm, false));
  if (normed)
    return fail(ErrorCode::kUnsupported, "{}: layer norms over q and k are not implemented",
                source.hparams.spelling(kQueryKeyNorm));
  DecoderTraits traits{.norm = NormKind::kLayer,
                       .default_epsilon = 1e-5,
                       .attention_bias = AttentionBias::kAll,
                       .mlp = MlpShape::kPlain,
                       .mlp_bias = MlpBias::kAll,
                       .default_activation = "gelu_new",
                       .head_bias = true,
                       .rotary = Rotary::kPart,
                       .default_rotary_part = 0.5,
                       .default_context = 2048};
  traits.names.final_norm.hf = "final_layernorm";
  traits.names.output.hf = "self_attn.dense";
  traits.names.channel_norm = {};
  traits.names.up.hf = "mlp.fc1";
  traits.names.down.hf = "mlp.fc2";
  traits.keys.epsilon = kLayerNormEpsilon;
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, traits));
  runInParallel(spec);
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"phi"}, .gguf_names = {"phi2"}, .read = read};

}  // namespace vitrine::core::arch::phi
