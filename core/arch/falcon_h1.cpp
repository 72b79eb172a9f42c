// Falcon-H1 (TII, arXiv:2507.22448): attention and Mamba-2 side by side in each block, then a gated MLP, with
// a multiplier (of maximal update parametrization) at every place where a signal enters or leaves a part.
// llama.cpp's files have the multipliers in their weights.
#include <algorithm>
#include <cmath>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch::falcon_h1 {
namespace {

constexpr Key kLayers = {"num_hidden_layers", "block_count"};
constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kMlpWidth = {"intermediate_size", "feed_forward_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kEpsilon = {"rms_norm_eps", "attention.layer_norm_rms_epsilon"};
constexpr Key kActivation = {"hidden_act", ""};
constexpr Key kAttentionBias = {"attention_bias", ""}, kMlpBias = {"mlp_bias", ""};
constexpr Key kInner = {"mamba_d_ssm", ""}, kStepLimits = {"time_step_limit", ""};
constexpr Key kOutputBias = {"projectors_bias", ""};
constexpr Key kNormed = {"mamba_rms_norm", ""}, kNormFirst = {"mamba_norm_before_gate", ""};
constexpr Key kEmbeddingScale = {"embedding_multiplier", ""}, kHeadScale = {"lm_head_multiplier", ""};
constexpr Key kAttentionIn = {"attention_in_multiplier", ""},
              kAttentionOut = {"attention_out_multiplier", ""};
constexpr Key kKeyScale = {"key_multiplier", ""}, kMlpScales = {"mlp_multipliers", ""};
constexpr Key kMambaIn = {"ssm_in_multiplier", ""}, kMambaOut = {"ssm_out_multiplier", ""};
constexpr Key kMambaScales = {"ssm_multipliers", ""};
constexpr std::uint32_t kDefaultContext = 8192, kDefaultInner = 1024;

struct Names {
  EndNames ends;
  std::string block, mixer_norm, mamba, channel_norm;
  AttentionNames attention;
  MlpNames mlp;
};
const Names kHuggingFace = {{"model.embed_tokens", "model.final_layernorm", "lm_head"},
                            "model.layers.",
                            "input_layernorm",
                            "mamba.",
                            "pre_ff_layernorm.weight",
                            {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"},
                            {"feed_forward.gate_proj", "feed_forward.up_proj", "feed_forward.down_proj"}};
const Names kGguf = {{"token_embd", "output_norm", "output"},
                     "blk.",
                     "attn_norm",
                     "",
                     "ffn_norm",  // so, without ".weight", in this family's files
                     {"attn_q", "attn_k", "attn_v", "attn_output"},
                     {"ffn_gate", "ffn_up", "ffn_down"}};

struct Multipliers {
  float embedding = 1, head = 1;
  float attention_in = 1, attention_out = 1, key = 1;
  float mamba_in = 1, mamba_out = 1;
  Mamba2Spec::Scales mamba;
  float mlp_gate = 1, mlp_down = 1;
};

Result<void> readMultiplier(const Hparams& hparams, Key key, float& value) {
  TRY_ASSIGN(const double number, hparams.positiveOr(key, 1));
  value = static_cast<float>(number);
  return {};
}

// As many numbers as there are places for, or ones.
Result<void> readMultipliers(const Hparams& hparams, Key key, const std::vector<float*>& places) {
  if (!hparams.has(key)) return {};
  TRY_ASSIGN(const std::vector<double> factors, hparams.positives(key, places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) *places[i] = static_cast<float>(factors[i]);
  return {};
}

Result<Multipliers> readAllMultipliers(const Hparams& hparams) {
  Multipliers m;
  TRY(readMultiplier(hparams, kEmbeddingScale, m.embedding));
  TRY(readMultiplier(hparams, kHeadScale, m.head));
  TRY(readMultiplier(hparams, kAttentionIn, m.attention_in));
  TRY(readMultiplier(hparams, kAttentionOut, m.attention_out));
  TRY(readMultiplier(hparams, kKeyScale, m.key));
  TRY(readMultiplier(hparams, kMambaIn, m.mamba_in));
  TRY(readMultiplier(hparams, kMambaOut, m.mamba_out));
  TRY(readMultipliers(hparams, kMambaScales, {&m.mamba.z, &m.mamba.x, &m.mamba.b, &m.mamba.c, &m.mamba.dt}));
  TRY(readMultipliers(hparams, kMlpScales, {&m.mlp_gate, &m.mlp_down}));
  return m;
}

class Reader {
 public:
  explicit Reader(const Source& source)
      : source_(source), hparams_(source.hparams), names_(source.hparams.isGguf() ? kGguf : kHuggingFace) {}

  Result<ModelSpec> read() {
    ModelSpec spec;
    TRY(readSizes());
    TRY_ASSIGN(const std::uint32_t context, hparams_.countOr(kContext, kDefaultContext, kLongestContext));
    TRY_ASSIGN(rope_, readRope(hparams_, source_.weights,
                               {.rotary_dim = heads_.head_dim, .context_length = context}));
    spec.context_length = rope_.context_length;
    TRY(readEnds(source_, names_.ends, heads_.embedding, epsilon_, false, spec));
    spec.embedding_scale = multipliers_.embedding;
    spec.logit_scale = multipliers_.head;
    TRY_ASSIGN(const std::uint32_t layers, hparams_.count(kLayers, kMostLayers));
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(fmt::format("{}{}.", names_.block, layer)));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<void> readSizes() {
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(mamba_, readMambaSizes(embedding));
    TRY_ASSIGN(limits_, readStepLimits(hparams_, kStepLimits));
    TRY_ASSIGN(heads_, readAttentionSizes(hparams_, embedding));
    TRY_ASSIGN(mlp_width_, hparams_.count(kMlpWidth, kWidestLayer));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams_, kEpsilon, 1e-5));
    TRY(readBiases());
    TRY(requireSilu(hparams_, kActivation));
    TRY_ASSIGN(multipliers_, readAllMultipliers(hparams_));
    // The factor is folded into what is made of q, k and v, which biases would not follow.
    if (attention_bias_ && multipliers_.attention_in != 1)
      return fail(ErrorCode::kUnsupported, "{} together with {} is not read", kAttentionBias.hf,
                  kAttentionIn.hf);
    return {};
  }

  Result<Mamba2Sizes> readMambaSizes(std::uint32_t embedding) {
    if (hparams_.isGguf()) return readGgufMamba2Sizes(hparams_, embedding);
    // null stands for mamba_expand times the embedding.
    const std::uint32_t otherwise = hparams_.mentions(kInner) ? 0 : kDefaultInner;
    TRY_ASSIGN(const std::uint32_t inner, hparams_.countOrNone(kInner, otherwise, kWidestLayer));
    TRY_ASSIGN(Mamba2Sizes sizes, readHybridSizes(hparams_, embedding, inner));
    TRY_ASSIGN(sizes.output_bias, hparams_.flagOr(kOutputBias, false));
    return sizes;
  }

  Result<void> readBiases() {
    TRY_ASSIGN(attention_bias_, hparams_.flagOr(kAttentionBias, false));
    TRY_ASSIGN(mlp_bias_, hparams_.flagOr(kMlpBias, false));
    if (!hparams_.isGguf()) return {};
    const std::string first = names_.block + "0.";
    attention_bias_ = source_.weights.has(first + names_.attention.query + ".bias");
    mlp_bias_ = source_.weights.has(first + names_.mlp.gate + ".bias");
    return {};
  }

  Result<AttentionSpec> attention(const std::string& in) {
    const AttentionNames& names = names_.attention;
    TRY_ASSIGN(AttentionSpec spec,
               readAttention(source_.weights,
                             {in + names.query, in + names.key, in + names.value, in + names.output}, heads_,
                             attention_bias_));
    spec.rope = rope_.rope;
    spec.scale *= multipliers_.attention_in * multipliers_.attention_in * multipliers_.key;
    return spec;
  }

  Result<Mamba2Spec> stateSpace(const std::string& in) {
    if (hparams_.isGguf()) return readGgufMamba2(source_.weights, in, mamba_, epsilon_);
    TRY_ASSIGN(Mamba2Spec spec, readMamba2(source_.weights, in, mamba_));
    spec.least_dt = limits_.least;
    spec.most_dt = limits_.most;
    spec.input_scale = multipliers_.mamba_in;
    spec.scales = multipliers_.mamba;
    TRY_ASSIGN(const bool normed, hparams_.flagOr(kNormed, false));
    TRY_ASSIGN(const bool norm_first, hparams_.flagOr(kNormFirst, true));
    if (!normed) return spec;
    TRY_ASSIGN(spec.norm, readRmsNorm(source_.weights, in + "norm", spec.inner(), epsilon_));
    spec.norm_groups = mamba_.groups;
    spec.norm_before_gate = norm_first;
    return spec;
  }

  Result<BlockSpec> block(const std::string& in) {
    BlockSpec spec;
    Weights& weights = source_.weights;
    const std::uint32_t embedding = heads_.embedding;
    TRY_ASSIGN(spec.mixer_norm, readRmsNorm(weights, in + names_.mixer_norm, embedding, epsilon_));
    TRY_ASSIGN(Mamba2Spec mamba, stateSpace(in + names_.mamba));
    TRY_ASSIGN(AttentionSpec heads, attention(in));
    spec.mixers.emplace_back(std::move(mamba));
    spec.mixers.emplace_back(std::move(heads));
    // v follows attention_in, hence the heads' outputs do.
    spec.mixer_factors = {multipliers_.mamba_out, multipliers_.attention_in * multipliers_.attention_out};
    spec.channel_norm.emplace().epsilon = epsilon_;
    TRY_ASSIGN(spec.channel_norm->weight, weights.vector(in + names_.channel_norm, embedding));
    const MlpNames& mlp = names_.mlp;
    TRY_ASSIGN(DenseMlpSpec channel, readMlp(weights, {in + mlp.gate, in + mlp.up, in + mlp.down}, embedding,
                                             mlp_width_, Activation::kSilu, mlp_bias_));
    channel.gate_scale = multipliers_.mlp_gate;
    spec.channel = std::move(channel);
    spec.channel_scale = multipliers_.mlp_down;
    return spec;
  }

  const Source& source_;
  const Hparams& hparams_;
  const Names& names_;
  Mamba2Sizes mamba_;
  AttentionSizes heads_;
  StepLimits limits_;
  FoldedRope rope_;
  std::uint32_t mlp_width_ = 0;
  float epsilon_ = 0;
  bool attention_bias_ = false, mlp_bias_ = false;
  Multipliers multipliers_;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"falcon_h1"}, .gguf_names = {"falcon-h1"}, .read = read};

}  // namespace vitrine::core::arch::falcon_h1
