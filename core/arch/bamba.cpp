// Bamba (IBM, Princeton, CMU, UIUC; built on Mamba-2, arXiv:2405.21060): blocks of Mamba-2 or, where
// attn_layer_indices says so, of attention whose heads turn in their first half; each with a gated MLP.
#include <algorithm>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kLayers = {"num_hidden_layers", ""}, kEmbedding = {"hidden_size", ""};
constexpr Key kMlpWidth = {"intermediate_size", ""}, kContext = {"max_position_embeddings", ""};
constexpr Key kEpsilon = {"rms_norm_eps", ""}, kActivation = {"hidden_act", ""};
constexpr Key kAttentionBias = {"attention_bias", ""}, kMlpBias = {"mlp_bias", ""};
constexpr Key kAttentionLayers = {"attn_layer_indices", ""}, kStepLimits = {"time_step_limit", ""};
constexpr std::uint32_t kDefaultContext = 262'144;
constexpr double kTurnedPart = 0.5;  // whatever config.json says

struct Sizes {
  std::uint32_t layers = 0, mlp_width = 0, context = 0;
  float epsilon = 0;
  bool attention_bias = false, mlp_bias = false;
  StepLimits limits;
};

Result<Sizes> readSizes(const Hparams& hparams) {
  Sizes sizes;
  TRY_ASSIGN(sizes.layers, hparams.count(kLayers, kMostLayers));
  TRY_ASSIGN(sizes.mlp_width, hparams.count(kMlpWidth, kWidestLayer));
  TRY_ASSIGN(sizes.context, hparams.countOr(kContext, kDefaultContext, kLongestContext));
  TRY_ASSIGN(sizes.epsilon, readEpsilon(hparams, kEpsilon, 1e-5));
  TRY_ASSIGN(sizes.attention_bias, hparams.flagOr(kAttentionBias, false));
  TRY_ASSIGN(sizes.mlp_bias, hparams.flagOr(kMlpBias, false));
  TRY_ASSIGN(sizes.limits, readStepLimits(hparams, kStepLimits));
  TRY(requireSilu(hparams, kActivation));
  return sizes;
}

// Whether each layer is one of attention.
Result<std::vector<bool>> attentionLayers(const Hparams& hparams, std::uint32_t layers) {
  if (!hparams.has(kAttentionLayers)) return std::vector<bool>(layers, false);
  return hparams.namedLayers(kAttentionLayers, layers);
}

class Reader {
 public:
  explicit Reader(const Source& source) : hparams_(source.hparams), weights_(source.weights) {}

  Result<ModelSpec> read(const Source& source) {
    ModelSpec spec;
    TRY_ASSIGN(sizes_, readSizes(hparams_));
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(mamba_, readHybridSizes(hparams_, embedding));
    TRY_ASSIGN(heads_, readAttentionSizes(hparams_, embedding));
    const auto turned = static_cast<std::uint32_t>(heads_.head_dim * kTurnedPart) / 2 * 2;
    TRY_ASSIGN(rope_, readRope(hparams_, weights_, {.rotary_dim = turned, .context_length = sizes_.context}));
    spec.context_length = rope_.context_length;
    TRY(readEnds(source, {"model.embed_tokens", "model.final_layernorm", "lm_head"}, embedding,
                 sizes_.epsilon, false, spec));
    TRY_ASSIGN(const std::vector<bool> attention, attentionLayers(hparams_, sizes_.layers));
    for (std::uint32_t layer = 0; layer < sizes_.layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(fmt::format("model.layers.{}.", layer), attention[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<MixerSpec> mixer(const std::string& in, bool attention) {
    if (attention) {
      TRY_ASSIGN(AttentionSpec spec, readAttention(weights_,
                                                   {in + "self_attn.q_proj", in + "self_attn.k_proj",
                                                    in + "self_attn.v_proj", in + "self_attn.o_proj"},
                                                   heads_, sizes_.attention_bias));
      spec.rope = rope_.rope;
      return MixerSpec(std::move(spec));
    }
    TRY_ASSIGN(Mamba2Spec spec, readMamba2(weights_, in + "mamba.", mamba_));
    spec.least_dt = sizes_.limits.least;
    spec.most_dt = sizes_.limits.most;
    TRY_ASSIGN(spec.norm, readRmsNorm(weights_, in + "mamba.norm", spec.inner(), sizes_.epsilon));
    return MixerSpec(std::move(spec));
  }

  Result<BlockSpec> block(const std::string& in, bool attention) {
    BlockSpec spec;
    const std::uint32_t embedding = heads_.embedding;
    TRY_ASSIGN(spec.mixer_norm, readRmsNorm(weights_, in + "input_layernorm", embedding, sizes_.epsilon));
    TRY_ASSIGN(MixerSpec one, mixer(in, attention));
    spec.mixers.push_back(std::move(one));
    TRY_ASSIGN(spec.channel_norm, readRmsNorm(weights_, in + "pre_ff_layernorm", embedding, sizes_.epsilon));
    TRY_ASSIGN(spec.channel, readMlp(weights_,
                                     {in + "feed_forward.gate_proj", in + "feed_forward.up_proj",
                                      in + "feed_forward.down_proj"},
                                     embedding, sizes_.mlp_width, Activation::kSilu, sizes_.mlp_bias));
    return spec;
  }

  const Hparams& hparams_;
  Weights& weights_;
  Sizes sizes_;
  Mamba2Sizes mamba_;
  AttentionSizes heads_;
  FoldedRope rope_;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read(source);
}

}  // namespace

extern const Architecture bamba;
const Architecture bamba = {.model_types = {"bamba"}, .gguf_names = {}, .read = read};

}  // namespace vitrine::core::arch
