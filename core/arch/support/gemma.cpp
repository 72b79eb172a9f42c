#include "core/arch/support/gemma.h"

#include <cmath>

namespace vitrine::core::arch {
namespace {

constexpr Key kScoreScalar = {"query_pre_attn_scalar", ""};
constexpr Key kScoreCap = {"attn_logit_softcapping", "attn_logit_softcapping"};
constexpr Key kLogitCap = {"final_logit_softcapping", "final_logit_softcapping"};
constexpr Key kBidirectional = {"use_bidirectional_attention", ""};

// null means "none"; absent means the default.
Result<float> readCap(const Hparams& hparams, Key key, double otherwise) {
  if (!hparams.has(key) && (hparams.mentions(key) || otherwise == 0)) return 0.0f;
  TRY_ASSIGN(const double cap, hparams.positiveOr(key, otherwise));
  return static_cast<float>(cap);
}

// By how much scores are divided, squared.
Result<double> scoreScalar(const Hparams& hparams, const GemmaDefaults& defaults, const ModelSpec& spec) {
  constexpr double kDefault = 256;
  if (!hparams.isGguf()) return hparams.positiveOr(kScoreScalar, kDefault);
  const AttentionSpec& attention = *spec.blocks.front().attention();
  if (spec.blocks.size() == defaults.layers_of_27b)
    return static_cast<double>(spec.embedding_dim) / attention.heads;
  return attention.head_dim;
}

}  // namespace

DecoderTraits gemmaTraits() {
  DecoderTraits traits;
  traits.names.mixer_post_norm = {"post_attention_layernorm", "post_attention_norm"};
  traits.names.channel_norm = {"pre_feedforward_layernorm", "ffn_norm"};
  traits.names.channel_post_norm = {"post_feedforward_layernorm", "post_ffw_norm"};
  traits.keys.activation = {"hidden_activation", ""};
  traits.norm_gain_offset = 1;
  traits.default_activation = "gelu_pytorch_tanh";
  traits.default_kv_heads = 4;
  traits.default_head_dim = 256;
  return traits;
}

Result<void> finishGemma(const Source& source, const GemmaDefaults& defaults, ModelSpec& spec) {
  const Hparams& hparams = source.hparams;
  TRY_ASSIGN(const bool bidirectional, hparams.flagOr(kBidirectional, false));
  if (bidirectional)
    return fail(ErrorCode::kUnsupported, "{}: attention to later tokens is not implemented",
                hparams.spelling(kBidirectional));
  TRY_ASSIGN(const double scalar, scoreScalar(hparams, defaults, spec));
  TRY_ASSIGN(const float score_cap, readCap(hparams, kScoreCap, defaults.score_cap));
  TRY_ASSIGN(spec.logit_soft_cap, readCap(hparams, kLogitCap, defaults.logit_cap));
  spec.embedding_scale = static_cast<float>(std::sqrt(static_cast<double>(spec.embedding_dim)));
  forEachAttention(spec, [&](AttentionSpec& attention, std::uint32_t) {
    attention.scale = static_cast<float>(1 / std::sqrt(scalar));
    attention.soft_cap = score_cap;
  });
  return {};
}

}  // namespace vitrine::core::arch
