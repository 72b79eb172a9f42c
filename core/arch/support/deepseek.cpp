#include "core/arch/support/deepseek.h"

#include "core/arch/support/latent_attention.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kEpsilon = {"rms_norm_eps", "attention.layer_norm_rms_epsilon"};
constexpr Key kActivation = {"hidden_act", ""};
constexpr Key kMlpWidth = {"intermediate_size", "feed_forward_length"};
constexpr Key kMlpBias = {"mlp_bias", ""};
constexpr Key kExperts = {"n_routed_experts", "expert_count"};
// What the two families' configurations take for granted in different ways where it is missing.
constexpr Key kGiven[] = {{"q_lora_rank", ""},
                          {"n_shared_experts", ""},
                          {"first_k_dense_replace", ""},
                          {"routed_scaling_factor", ""},
                          {"norm_topk_prob", ""},
                          {"n_group", ""},
                          {"topk_group", ""}};

struct Names {
  EndNames ends;
  std::string_view block, mixer_norm, channel_norm, gate, up, down;
};
const Names kHuggingFace = {{"model.embed_tokens", "model.norm", "lm_head"},
                            "model.layers.",
                            "input_layernorm",
                            "post_attention_layernorm",
                            "mlp.gate_proj",
                            "mlp.up_proj",
                            "mlp.down_proj"};
const Names kGguf = {{"token_embd", "output_norm", "output"},
                     "blk.",
                     "attn_norm",
                     "ffn_norm",
                     "ffn_gate",
                     "ffn_up",
                     "ffn_down"};

class Reader {
 public:
  Reader(const Source& source, const MoeTraits& moe)
      : source_(source),
        hparams_(source.hparams),
        moe_(hparams_, source.weights, moe),
        names_(hparams_.isGguf() ? kGguf : kHuggingFace) {}

  Result<ModelSpec> read() {
    TRY(checkGiven());
    ModelSpec spec;
    TRY_ASSIGN(const std::uint32_t layers, readBlockCount(hparams_));
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(const std::uint32_t context, hparams_.count(kContext, kLongestContext));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams_, kEpsilon, 1e-6));
    TRY_ASSIGN(activation_, readActivation(hparams_, kActivation, "silu"));
    TRY_ASSIGN(mlp_width_, hparams_.count(kMlpWidth, kWidestLayer));
    TRY_ASSIGN(attention_, readLatentSizes(source_, embedding, context, epsilon_));
    mixtures_ = hparams_.has(kExperts);
    if (mixtures_) TRY(moe_.readSizes(layers, embedding, activation_));
    spec.context_length = attention_.rope.context_length;
    TRY(readEnds(source_, names_.ends, embedding, epsilon_, false, spec));
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(layer));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<void> checkGiven() {
    if (hparams_.isGguf()) return {};
    for (const Key& key : kGiven)
      if (!hparams_.mentions(key)) return hparams_.refuse(key, "given, be it as null");
    TRY_ASSIGN(const bool biased, hparams_.flagOr(kMlpBias, false));
    if (biased) return hparams_.refuse(kMlpBias, "false");
    return {};
  }

  Result<ChannelMixerSpec> channel(std::uint32_t layer, const std::string& in) {
    if (mixtures_ && moe_.isSparse(layer)) {
      TRY_ASSIGN(MoeSpec sparse, moe_.read(in));
      return ChannelMixerSpec(std::move(sparse));
    }
    const auto name = [&in](std::string_view part) { return fmt::format("{}{}", in, part); };
    TRY_ASSIGN(DenseMlpSpec dense,
               readMlp(source_.weights, {name(names_.gate), name(names_.up), name(names_.down)},
                       attention_.embedding, mlp_width_, activation_, false));
    return ChannelMixerSpec(std::move(dense));
  }

  Result<BlockSpec> block(std::uint32_t layer) {
    const std::string in = fmt::format("{}{}.", names_.block, layer);
    const auto norm = [&](std::string_view name) {
      return readRmsNorm(source_.weights, fmt::format("{}{}", in, name), attention_.embedding, epsilon_);
    };
    BlockSpec spec;
    TRY_ASSIGN(spec.mixer_norm, norm(names_.mixer_norm));
    TRY_ASSIGN(AttentionSpec mixer, readLatentAttention(source_, in, attention_));
    spec.mixers.emplace_back(std::move(mixer));
    TRY_ASSIGN(spec.channel_norm, norm(names_.channel_norm));
    TRY_ASSIGN(spec.channel, channel(layer, in));
    return spec;
  }

  const Source& source_;
  const Hparams& hparams_;
  MoeReader moe_;
  const Names& names_;
  LatentSizes attention_;
  float epsilon_ = 0;
  Activation activation_ = Activation::kSilu;
  std::uint32_t mlp_width_ = 0;
  bool mixtures_ = false;
};

}  // namespace

Result<ModelSpec> readDeepseek(const Source& source, const MoeTraits& moe) {
  return Reader(source, moe).read();
}

}  // namespace vitrine::core::arch
