// GPT-NeoX and Pythia (arXiv 2204.06745, 2304.01373): attention and MLP side by side, each behind its own
// layer norm; q, k and v of each head in turn in one matrix.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::gpt_neox {
namespace {

constexpr Key kParallel = {"use_parallel_residual", "use_parallel_residual"};
constexpr Key kAttentionBias = {"attention_bias", ""};

DecoderTraits neoxTraits() {
  DecoderTraits traits{.norm = NormKind::kLayer,
                       .default_epsilon = 1e-5,
                       .qkv = QkvLayout::kHeadByHead,
                       .mlp = MlpShape::kPlain,
                       .mlp_bias = MlpBias::kAll,
                       .default_activation = "gelu",
                       .rotary = Rotary::kPart,
                       .default_rotary_part = 0.25,
                       .default_context = 2048};
  DecoderNames& names = traits.names;
  names.prefix = "gpt_neox.";
  names.embedding.hf = "embed_in";
  names.final_norm.hf = "final_layer_norm";
  names.head.hf = "embed_out";
  names.qkv.hf = "attention.query_key_value";
  names.output.hf = "attention.dense";
  names.up.hf = "mlp.dense_h_to_4h";
  names.down.hf = "mlp.dense_4h_to_h";
  traits.keys.kv_heads.hf = "";
  traits.keys.head_dim.hf = "";
  traits.keys.epsilon = kLayerNormEpsilon;
  return traits;
}

Result<ModelSpec> read(const Source& source) {
  DecoderTraits traits = neoxTraits();
  TRY_ASSIGN(const bool bias, source.hparams.flagOr(kAttentionBias, true));
  traits.attention_bias = bias ? AttentionBias::kAll : AttentionBias::kNone;
  TRY_ASSIGN(const bool parallel, source.hparams.flagOr(kParallel, true));
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, traits));
  if (parallel) runInParallel(spec);
  for (std::size_t layer = 0; layer < spec.blocks.size(); ++layer)  // the causal masks of old files
    for (const char* mask : {"bias", "masked_bias"})
      source.weights.ignore(fmt::format("gpt_neox.layers.{}.attention.{}", layer, mask));
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"gpt_neox"}, .gguf_names = {"gptneox"}, .read = read};

}  // namespace vitrine::core::arch::gpt_neox
