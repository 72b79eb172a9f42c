// Granite 3 (IBM): a Llama with multipliers of embedding, scores, residual branches and logits.

#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::granite {
namespace {

constexpr Key kEmbedding = {"embedding_multiplier", "embedding_scale"};
constexpr Key kScores = {"attention_multiplier", "attention.scale"};
constexpr Key kResidual = {"residual_multiplier", "residual_scale"};
constexpr Key kLogits = {"logits_scaling", "logit_scale"};  // a divisor

// llama.cpp writes 0 for "none".
Result<double> multiplier(const Hparams& hparams, Key key, double otherwise) {
  if (hparams.isGguf() && hparams.isZero(key)) return otherwise;
  return hparams.positiveOr(key, otherwise);
}

Result<ModelSpec> read(const Source& source) {
  const Hparams& hparams = source.hparams;
  TRY_ASSIGN(ModelSpec spec,
             readDecoder(source, {.gguf_pairing = RopePairing::kInterleaved, .default_context = 2048}));
  const double usual_scale = spec.blocks.front().attention()->scale;
  TRY_ASSIGN(const double embedding, multiplier(hparams, kEmbedding, 1));
  TRY_ASSIGN(const double scores, multiplier(hparams, kScores, hparams.isGguf() ? usual_scale : 1));
  TRY_ASSIGN(const double residual, multiplier(hparams, kResidual, 1));
  TRY_ASSIGN(const double logits, multiplier(hparams, kLogits, 1));
  spec.embedding_scale = static_cast<float>(embedding);
  spec.logit_scale = static_cast<float>(1 / logits);
  for (BlockSpec& block : spec.blocks) block.mixer_scale = block.channel_scale = static_cast<float>(residual);
  forEachAttention(spec, [scores](AttentionSpec& attention, std::uint32_t) {
    attention.scale = static_cast<float>(scores);
  });
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"granite"}, .gguf_names = {"granite"}, .read = read};

}  // namespace vitrine::core::arch::granite
