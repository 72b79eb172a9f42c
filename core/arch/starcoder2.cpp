// StarCoder2 (arXiv 2402.19173): layer norms, biases everywhere, an MLP without a gate.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::starcoder2 {
namespace {

constexpr Key kBias = {"use_bias", ""};

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(const bool bias, source.hparams.flagOr(kBias, true));
  DecoderTraits traits{.norm = NormKind::kLayer,
                       .default_epsilon = 1e-5,
                       .attention_bias = bias ? AttentionBias::kAll : AttentionBias::kNone,
                       .mlp = MlpShape::kPlain,
                       .mlp_bias = bias ? MlpBias::kAll : MlpBias::kConfigured,
                       .default_activation = "gelu_pytorch_tanh",
                       .default_kv_heads = 2,
                       .default_context = 4096,
                       .windows = commonWindow};
  traits.names.up.hf = "mlp.c_fc";
  traits.names.down.hf = "mlp.c_proj";
  traits.keys.epsilon = {"norm_epsilon", kLayerNormEpsilon.gguf};
  return readDecoder(source, traits);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"starcoder2"}, .gguf_names = {"starcoder2"}, .read = read};

}  // namespace vitrine::core::arch::starcoder2
