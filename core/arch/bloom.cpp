// BLOOM (arXiv 2211.05100): no positions but ALiBi (arXiv 2108.12409), a norm behind the embedding, q, k and
// v of each head in turn in one matrix.
#include <bit>
#include <cmath>

#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::bloom {
namespace {

constexpr Key kNormalizedResidual = {"apply_residual_connection_post_layernorm", ""};

DecoderTraits bloomTraits() {
  DecoderTraits traits{.norm = NormKind::kLayer,
                       .default_epsilon = 1e-5,
                       .qkv = QkvLayout::kHeadByHead,
                       .attention_bias = AttentionBias::kAll,
                       .mlp = MlpShape::kPlain,
                       .mlp_bias = MlpBias::kAll,
                       .default_activation = "gelu_pytorch_tanh",
                       .rotary = Rotary::kNone,
                       .default_context = 2048};
  DecoderNames& names = traits.names;
  names.prefix = "transformer.";
  names.embedding.hf = "word_embeddings";
  names.embedding_norm = {"word_embeddings_layernorm", "token_embd_norm"};
  names.final_norm.hf = "ln_f";
  names.block.hf = "h.";
  names.qkv.hf = "self_attention.query_key_value";
  names.output.hf = "self_attention.dense";
  names.up.hf = "mlp.dense_h_to_4h";
  names.down.hf = "mlp.dense_4h_to_h";
  DecoderKeys& keys = traits.keys;
  keys.layers.hf = "n_layer";
  keys.heads.hf = "n_head";
  keys.kv_heads.hf = "";
  keys.head_dim.hf = "";
  keys.mlp_width.hf = "";
  keys.context.hf = "seq_length";
  keys.epsilon = {"layer_norm_epsilon", kLayerNormEpsilon.gguf};
  keys.activation.hf = "";
  return traits;
}

// 2^(-8 i / n) for n heads, a power of two; the heads beyond one take every other slope of twice as many.
std::vector<float> alibiSlopes(std::uint32_t heads) {
  const std::uint32_t power = std::bit_floor(heads);
  std::vector<float> slopes;
  for (std::uint32_t head = 0; head < heads; ++head) {
    const double exponent =
        head < power ? -8.0 * (head + 1) / power : -4.0 * (2 * (head - power) + 1) / power;
    slopes.push_back(static_cast<float>(std::exp2(exponent)));
  }
  return slopes;
}

Result<ModelSpec> read(const Source& source) {
  DecoderTraits traits = bloomTraits();
  // The first BLOOM files use other names for the same sizes.
  if (source.hparams.has({"num_attention_heads", ""})) traits.keys.heads.hf = "num_attention_heads";
  if (source.hparams.has({"n_embed", ""})) traits.keys.embedding.hf = "n_embed";
  TRY_ASSIGN(const bool normalized, source.hparams.flagOr(kNormalizedResidual, false));
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, traits));
  for (BlockSpec& block : spec.blocks)
    if (normalized) block.residual = Residual::kNormalized;
  forEachAttention(spec, [](AttentionSpec& attention, std::uint32_t) {
    attention.alibi_slopes = alibiSlopes(attention.heads);
  });
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"bloom"}, .gguf_names = {"bloom"}, .read = read};

}  // namespace vitrine::core::arch::bloom
