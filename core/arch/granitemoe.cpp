// Granite 3, mixtures (IBM): a Llama with multipliers on embedding, residuals, attention and logits; the
// router's softmax goes over the chosen experts.
#include <cmath>

#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::granitemoe {
namespace {

constexpr Key kEmbeddingScale = {"embedding_multiplier", "embedding_scale"};
constexpr Key kResidualScale = {"residual_multiplier", "residual_scale"};
constexpr Key kAttentionScale = {"attention_multiplier", "attention.scale"};
constexpr Key kLogitDivisor = {"logits_scaling", "logit_scale"};
constexpr MoeTraits kMoe = {.router = "block_sparse_moe.router.layer",
                            .fused_in = "block_sparse_moe.input_linear",
                            .fused_out = "block_sparse_moe.output_linear",
                            .tensors = ExpertTensors::kFused,
                            .width = {"intermediate_size", "feed_forward_length"},
                            .scores = RouterScores::kChosenSoftmax,
                            .shared = SharedExpert::kWide};

Result<void> readMultipliers(const Hparams& hparams, ModelSpec& spec) {
  const std::uint32_t head_dim = spec.blocks.front().attention()->head_dim;
  // llama.cpp takes an absent scale as 1 / sqrt(head_dim), transformers as 1.
  const double plain = hparams.isGguf() ? 1 / std::sqrt(static_cast<double>(head_dim)) : 1;
  TRY_ASSIGN(const double embedding, hparams.positiveOr(kEmbeddingScale, 1));
  TRY_ASSIGN(const double residual, hparams.positiveOr(kResidualScale, 1));
  TRY_ASSIGN(const double attention, hparams.positiveOr(kAttentionScale, plain));
  TRY_ASSIGN(const double divisor, hparams.positiveOr(kLogitDivisor, 1));
  spec.embedding_scale = static_cast<float>(embedding);
  spec.logit_scale = static_cast<float>(1 / divisor);
  for (BlockSpec& block : spec.blocks) {
    block.mixer_scale = block.channel_scale = static_cast<float>(residual);
    for (MixerSpec& mixer : block.mixers)
      std::get<AttentionSpec>(mixer).scale = static_cast<float>(attention);
  }
  return {};
}

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(ModelSpec spec,
             readDecoder(source,
                         {.gguf_pairing = RopePairing::kInterleaved, .default_context = 2048, .moe = &kMoe}));
  TRY(readMultipliers(source.hparams, spec));
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"granitemoe"}, .gguf_names = {"granitemoe"}, .read = read};

}  // namespace vitrine::core::arch::granitemoe
