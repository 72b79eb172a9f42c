// Bamba (IBM, Princeton, CMU, UIUC; built on Mamba-2, arXiv:2405.21060): blocks of Mamba-2 or, where
// attn_layer_indices says so, of attention whose heads turn in their first half; each with a gated MLP.
// llama.cpp's files are those of Granite 4 (IBM), which Bamba became: there heads do not turn, the channel
// mixer may be one of experts, and multipliers stand where Granite has them.
#include <algorithm>
#include <cmath>

#include "core/arch/support/mamba.h"
#include "core/arch/support/moe.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch::bamba {
namespace {

constexpr Key kLayers = {"num_hidden_layers", "block_count"};
constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kMlpWidth = {"intermediate_size", "feed_forward_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kEpsilon = {"rms_norm_eps", "attention.layer_norm_rms_epsilon"};
constexpr Key kActivation = {"hidden_act", ""};
constexpr Key kAttentionBias = {"attention_bias", ""}, kMlpBias = {"mlp_bias", ""};
constexpr Key kAttentionLayers = {"attn_layer_indices", ""}, kStepLimits = {"time_step_limit", ""};
constexpr Key kHeads = {"", "attention.head_count"}, kKvHeads = {"", "attention.head_count_kv"};
constexpr Key kHeadDim = {"", "attention.key_length"}, kExperts = {"", "expert_count"};
constexpr Key kTurns = {"", "rope.scaling.finetuned"}, kTurnedDims = {"", "rope.dimension_count"};
constexpr Key kEmbeddingScale = {"", "embedding_scale"}, kResidualScale = {"", "residual_scale"};
constexpr Key kAttentionScale = {"", "attention.scale"}, kLogitDivisor = {"", "logit_scale"};
constexpr std::uint32_t kDefaultContext = 262'144;
constexpr double kTurnedPart = 0.5;  // whatever config.json says

constexpr MoeTraits kMoe = {.width = {"", "feed_forward_length"},
                            .scores = RouterScores::kChosenSoftmax,
                            .shared = SharedExpert::kWide};

struct Names {
  EndNames ends;
  std::string block, mixer_norm, channel_norm;
  AttentionNames attention;
  MlpNames mlp;
};
const Names kHuggingFace = {{"model.embed_tokens", "model.final_layernorm", "lm_head"},
                            "model.layers.",
                            "input_layernorm",
                            "pre_ff_layernorm",
                            {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"},
                            {"feed_forward.gate_proj", "feed_forward.up_proj", "feed_forward.down_proj"}};
const Names kGguf = {{"token_embd", "output_norm", "output"},
                     "blk.",
                     "attn_norm",
                     "ffn_norm",
                     {"attn_q", "attn_k", "attn_v", "attn_output"},
                     {"ffn_gate", "ffn_up", "ffn_down"}};

struct Sizes {
  std::uint32_t layers = 0, mlp_width = 0, context = 0;
  float epsilon = 0;
  bool attention_bias = false, mlp_bias = false;
  StepLimits limits;
  float residual_scale = 1;
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

// llama.cpp's converter makes neighbours of dimensions half a head apart, as if whole heads turned. What
// turns together, dimensions a quarter apart, is then half a head apart, at even places.
Rope spreadOverHeads(const Rope& half, std::uint32_t head_dim) {
  Rope whole{.pairing = RopePairing::kHalf, .rotary_dim = head_dim, .magnitude = half.magnitude};
  for (const double frequency : half.inv_freq) whole.inv_freq.insert(whole.inv_freq.end(), {frequency, 0});
  return whole;
}

class Reader {
 public:
  explicit Reader(const Source& source)
      : source_(source),
        hparams_(source.hparams),
        weights_(source.weights),
        gguf_(hparams_.isGguf()),
        names_(gguf_ ? kGguf : kHuggingFace),
        moe_(hparams_, weights_, kMoe) {}

  Result<ModelSpec> read() {
    ModelSpec spec;
    TRY_ASSIGN(sizes_, readSizes(hparams_));
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(mamba_,
               gguf_ ? readGgufMamba2Sizes(hparams_, embedding) : readHybridSizes(hparams_, embedding));
    TRY_ASSIGN(const std::vector<bool> attention, gguf_ ? readGgufHeads(embedding) : readHeads(embedding));
    TRY(readPositions(spec));
    TRY_ASSIGN(const std::uint32_t experts, hparams_.countOrNone(kExperts, 0, kMostHeads));
    sparse_ = experts > 0;
    if (sparse_) TRY(moe_.readSizes(sizes_.layers, embedding, Activation::kSilu));
    TRY(readEnds(source_, names_.ends, embedding, sizes_.epsilon, false, spec));
    TRY(readMultipliers(spec));
    for (std::uint32_t layer = 0; layer < sizes_.layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(layer, attention[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  // Both give whether each layer is one of attention.
  Result<std::vector<bool>> readHeads(std::uint32_t embedding) {
    TRY_ASSIGN(heads_, readAttentionSizes(hparams_, embedding));
    if (!hparams_.has(kAttentionLayers)) return std::vector<bool>(sizes_.layers, false);
    return hparams_.namedLayers(kAttentionLayers, sizes_.layers);
  }

  Result<std::vector<bool>> readGgufHeads(std::uint32_t embedding) {
    heads_.embedding = embedding;
    TRY_ASSIGN(heads_.heads, hparams_.count(kHeads, kMostHeads));
    TRY_ASSIGN(const auto kv_heads, readLayerNumbers(hparams_, kKvHeads, sizes_.layers, kMostHeads));
    heads_.kv_heads = std::max(1u, *std::ranges::max_element(kv_heads));
    if (heads_.heads % heads_.kv_heads != 0)
      return hparams_.refuse(kKvHeads, fmt::format("divisors of the {} heads", heads_.heads));
    if (!hparams_.has(kHeadDim) && embedding % heads_.heads != 0)
      return hparams_.refuse(kHeads, fmt::format("a divisor of the {} dimensions", embedding));
    TRY_ASSIGN(heads_.head_dim,
               hparams_.countOr(kHeadDim, std::max(embedding / heads_.heads, 1u), kWidestHead));
    std::vector<bool> attention;
    for (const std::uint32_t heads : kv_heads) attention.push_back(heads != 0);
    return attention;
  }

  Result<void> readPositions(ModelSpec& spec) {
    const std::uint32_t dim = heads_.head_dim;
    spec.context_length = sizes_.context;
    TRY_ASSIGN(const bool turns, hparams_.flagOr(kTurns, true));
    if (!turns) return {};
    // A GGUF file whose heads turn is a Bamba's, which may claim that they turn as a whole.
    TRY_ASSIGN(const std::uint32_t claimed, hparams_.countOr(kTurnedDims, dim, kWidestHead));
    if (gguf_ && ((claimed != dim && 2 * claimed != dim) || dim % 4 != 0))
      return hparams_.refuse(kTurnedDims, fmt::format("half of the {} of a head, in pairs", dim));
    const auto turned = static_cast<std::uint32_t>(dim * kTurnedPart) / 2 * 2;
    TRY_ASSIGN(FoldedRope folded,
               readRope(hparams_, weights_, {.rotary_dim = turned, .context_length = sizes_.context}));
    spec.context_length = folded.context_length;
    rope_ = std::move(folded.rope);
    if (!gguf_) return {};
    if (rope_->magnitude != 1)
      return fail(ErrorCode::kUnsupported,
                  "rotary embeddings of a magnitude of {} are not read here; expected 1", rope_->magnitude);
    rope_ = spreadOverHeads(*rope_, dim);
    return {};
  }

  // Granite's; llama.cpp takes an absent scale of attention as 1 / sqrt(head_dim).
  Result<void> readMultipliers(ModelSpec& spec) {
    TRY_ASSIGN(const double embedding, hparams_.positiveOr(kEmbeddingScale, 1));
    TRY_ASSIGN(const double residual, hparams_.positiveOr(kResidualScale, 1));
    TRY_ASSIGN(const double attention, hparams_.positiveOr(kAttentionScale, 1 / std::sqrt(heads_.head_dim)));
    TRY_ASSIGN(const double divisor, hparams_.positiveOr(kLogitDivisor, 1));
    spec.embedding_scale = static_cast<float>(embedding);
    spec.logit_scale = static_cast<float>(1 / divisor);
    sizes_.residual_scale = static_cast<float>(residual);
    attention_scale_ = static_cast<float>(attention);
    return {};
  }

  bool biased(const std::string& name, bool configured) const {
    return gguf_ ? weights_.has(name + ".bias") : configured;
  }

  Result<AttentionSpec> attention(const std::string& in) {
    const AttentionNames& names = names_.attention;
    TRY_ASSIGN(
        AttentionSpec spec,
        readAttention(weights_, {in + names.query, in + names.key, in + names.value, in + names.output},
                      heads_, biased(in + names.query, sizes_.attention_bias)));
    spec.rope = rope_;
    spec.scale = attention_scale_;
    return spec;
  }

  Result<Mamba2Spec> stateSpace(const std::string& in) {
    if (gguf_) return readGgufMamba2(weights_, in, mamba_, sizes_.epsilon);
    TRY_ASSIGN(Mamba2Spec spec, readMamba2(weights_, in + "mamba.", mamba_));
    spec.least_dt = sizes_.limits.least;
    spec.most_dt = sizes_.limits.most;
    TRY_ASSIGN(spec.norm, readRmsNorm(weights_, in + "mamba.norm", spec.inner(), sizes_.epsilon));
    return spec;
  }

  Result<ChannelMixerSpec> channel(std::uint32_t layer, const std::string& in) {
    if (sparse_ && moe_.isSparse(layer)) {
      TRY_ASSIGN(MoeSpec sparse, moe_.read(in));
      return ChannelMixerSpec(std::move(sparse));
    }
    const MlpNames& names = names_.mlp;
    TRY_ASSIGN(DenseMlpSpec dense,
               readMlp(weights_, {in + names.gate, in + names.up, in + names.down}, heads_.embedding,
                       sizes_.mlp_width, Activation::kSilu, biased(in + names.gate, sizes_.mlp_bias)));
    return ChannelMixerSpec(std::move(dense));
  }

  Result<BlockSpec> block(std::uint32_t layer, bool attends) {
    const std::string in = fmt::format("{}{}.", names_.block, layer);
    const std::uint32_t embedding = heads_.embedding;
    BlockSpec spec;
    TRY_ASSIGN(spec.mixer_norm, readRmsNorm(weights_, in + names_.mixer_norm, embedding, sizes_.epsilon));
    if (attends) {
      TRY_ASSIGN(AttentionSpec mixer, attention(in));
      spec.mixers.emplace_back(std::move(mixer));
    } else {
      TRY_ASSIGN(Mamba2Spec mixer, stateSpace(in));
      spec.mixers.emplace_back(std::move(mixer));
    }
    TRY_ASSIGN(spec.channel_norm, readRmsNorm(weights_, in + names_.channel_norm, embedding, sizes_.epsilon));
    TRY_ASSIGN(spec.channel, channel(layer, in));
    spec.mixer_scale = spec.channel_scale = sizes_.residual_scale;
    return spec;
  }

  const Source& source_;
  const Hparams& hparams_;
  Weights& weights_;
  bool gguf_;
  const Names& names_;
  MoeReader moe_;
  bool sparse_ = false;
  Sizes sizes_;
  Mamba2Sizes mamba_;
  AttentionSizes heads_;
  std::optional<Rope> rope_;
  float attention_scale_ = 0;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"bamba"}, .gguf_names = {"granitehybrid"}, .read = read};

}  // namespace vitrine::core::arch::bamba
