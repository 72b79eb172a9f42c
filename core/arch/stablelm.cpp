// StableLM (arXiv 2402.17834): layer norms, heads that turn in part; the 12B model runs attention and MLP
// side by side behind one norm.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::stablelm {
namespace {

constexpr Key kParallel = {"use_parallel_residual", ""};
constexpr Key kQkvBias = {"use_qkv_bias", ""};
constexpr Key kQueryKeyNorm = {"qk_layernorm", ""};

Result<ModelSpec> read(const Source& source) {
  const Hparams& hparams = source.hparams;
  TRY_ASSIGN(const bool normed, hparams.flagOr(kQueryKeyNorm, false));
  if (normed || source.weights.has("blk.0.attn_q_norm.weight"))
    return fail(ErrorCode::kUnsupported, "layer norms over q and k (qk_layernorm) are not implemented");
  TRY_ASSIGN(bool parallel, hparams.flagOr(kParallel, false));
  // llama.cpp's converter writes a flag that does not hold for every file.
  if (hparams.isGguf()) parallel = !source.weights.has("blk.0.ffn_norm.weight");
  TRY_ASSIGN(const bool bias, hparams.flagOr(kQkvBias, false));
  DecoderTraits traits{.norm = NormKind::kLayer,
                       .default_epsilon = 1e-5,
                       .attention_bias = bias ? AttentionBias::kQkv : AttentionBias::kNone,
                       .rotary = Rotary::kPart,
                       .default_rotary_part = 0.25,
                       .default_kv_heads = 32,
                       .default_context = 4096};
  traits.keys.epsilon = kLayerNormEpsilon;
  if (parallel) traits.names.channel_norm = {};
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, traits));
  if (parallel) runInParallel(spec);
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"stablelm"}, .gguf_names = {"stablelm"}, .read = read};

}  // namespace vitrine::core::arch::stablelm
