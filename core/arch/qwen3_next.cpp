// Qwen3-Next: three layers of gated DeltaNet (arXiv:2412.06464) to one of attention whose heads are gated,
// and experts with a shared one. llama.cpp's files have the gains as they are, and A instead of its
// logarithm.
#include "core/arch/support/linear_attention.h"
#include "core/arch/support/moe.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch::qwen3_next {
namespace {

constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kEpsilon = {"rms_norm_eps", "attention.layer_norm_rms_epsilon"};
constexpr Key kActivation = {"hidden_act", ""}, kAttentionBias = {"attention_bias", ""};
constexpr Key kInterval = {"full_attention_interval", "full_attention_interval"};
constexpr Key kMlpWidth = {"intermediate_size", ""};
constexpr double kTurnedPart = 0.25;  // where the file does not say

constexpr MoeTraits kMoe = {.normalize_hf = true, .normalize_gguf = true, .shared = SharedExpert::kGated};

struct Names {
  EndNames ends;
  std::string block, mixer_norm, channel_norm, linear;  // linear: in front of a linear layer's tensors
  AttentionNames attention;
  std::string query_norm, key_norm;
};
const Names kHuggingFace = {{"model.embed_tokens", "model.norm", "lm_head"},
                            "model.layers.",
                            "input_layernorm",
                            "post_attention_layernorm",
                            "linear_attn.",
                            {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"},
                            "self_attn.q_norm",
                            "self_attn.k_norm"};
const Names kGguf = {
    {"token_embd", "output_norm", "output"},       "blk.",        "attn_norm",  "post_attention_norm", "",
    {"attn_q", "attn_k", "attn_v", "attn_output"}, "attn_q_norm", "attn_k_norm"};

class Reader {
 public:
  explicit Reader(const Source& source)
      : source_(source),
        weights_(source.weights),
        gguf_(source.hparams.isGguf()),
        names_(gguf_ ? kGguf : kHuggingFace),
        moe_(source.hparams, source.weights, kMoe) {}

  Result<ModelSpec> read() {
    const Hparams& hparams = source_.hparams;
    ModelSpec spec;
    TRY_ASSIGN(const std::uint32_t layers, readBlockCount(hparams));
    TRY_ASSIGN(const std::uint32_t embedding, hparams.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(heads_, readAttentionSizes(hparams, embedding));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams, kEpsilon, 1e-6));
    TRY_ASSIGN(const Activation activation, readActivation(hparams, kActivation, "silu"));
    if (activation != Activation::kSilu) return hparams.refuse(kActivation, "silu");
    TRY_ASSIGN(attention_bias_, hparams.flagOr(kAttentionBias, false));
    TRY_ASSIGN(mlp_width_, hparams.countOr(kMlpWidth, 5632, kWidestLayer));
    TRY(moe_.readSizes(layers, embedding, activation));
    TRY_ASSIGN(delta_, gguf_ ? readGgufDeltaNetSizes(hparams, embedding, epsilon_)
                             : readDeltaNetSizes(hparams, embedding, epsilon_));
    RopeShape shape{.partial = true};
    TRY_ASSIGN(shape.context_length, hparams.countOr(kContext, 32'768, kLongestContext));
    TRY_ASSIGN(shape.rotary_dim, readRotaryDim(hparams, shape, heads_.head_dim, kTurnedPart));
    TRY_ASSIGN(rope_, readRope(hparams, weights_, shape));
    spec.context_length = rope_.context_length;
    TRY(readEnds(source_, names_.ends, embedding, epsilon_, false, spec));
    spec.final_norm.gain_offset = gainOffset();
    TRY_ASSIGN(const std::vector<bool> linear, linearLayers(layers));
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(layer, linear[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<std::vector<bool>> linearLayers(std::uint32_t layers) {
    TRY_ASSIGN(const std::uint32_t interval, source_.hparams.countOr(kInterval, 4, kMostLayers));
    std::vector<bool> linear(layers);
    for (std::size_t layer = 0; layer < layers; ++layer) linear[layer] = (layer + 1) % interval != 0;
    return readLinearLayers(source_.hparams, std::move(linear));
  }

  // Hugging Face stores gains less 1, except those of gated DeltaNet.
  float gainOffset() const { return gguf_ ? 0 : 1; }

  Result<Norm> norm(const std::string& name, std::uint64_t length) {
    TRY_ASSIGN(Norm norm, readRmsNorm(weights_, name, length, epsilon_));
    norm.gain_offset = gainOffset();
    return norm;
  }

  // The query's tensor holds the queries and the gate of each head in turn.
  Result<AttentionSpec> attention(const std::string& in) {
    const std::uint64_t dim = heads_.head_dim, rows = heads_.heads * dim;
    TRY_ASSIGN(const Linear both, readLinear(weights_, in + names_.attention.query, 2 * rows,
                                             heads_.embedding, attention_bias_));
    const AttentionNames& names = names_.attention;
    TRY_ASSIGN(AttentionSpec spec,
               readAttention(weights_, {"", in + names.key, in + names.value, in + names.output}, heads_,
                             attention_bias_));
    const auto everyOther = [&](const Linear& from, std::uint64_t first) {
      Linear part = from;
      for (WeightRef* weight : {&part.weight, &part.bias}) {
        if (!*weight) continue;
        weight->first_row = first;
        weight->rows = rows;
        weight->run = dim;
        weight->stride = 2 * dim;
      }
      return part;
    };
    spec.query = everyOther(both, 0);
    spec.gate = everyOther(both, dim);
    TRY_ASSIGN(spec.query_norm, norm(in + names_.query_norm, dim));
    TRY_ASSIGN(spec.key_norm, norm(in + names_.key_norm, dim));
    spec.rope = rope_.rope;
    return spec;
  }

  Result<ChannelMixerSpec> channel(std::uint32_t layer, const std::string& in) {
    if (!moe_.isSparse(layer)) {
      TRY_ASSIGN(DenseMlpSpec dense,
                 readMlp(weights_, {in + "mlp.gate_proj", in + "mlp.up_proj", in + "mlp.down_proj"},
                         heads_.embedding, mlp_width_, Activation::kSilu, false));
      return ChannelMixerSpec(std::move(dense));
    }
    TRY_ASSIGN(MoeSpec sparse, moe_.read(in));
    return ChannelMixerSpec(std::move(sparse));
  }

  Result<BlockSpec> block(std::uint32_t layer, bool linear) {
    const std::string in = fmt::format("{}{}.", names_.block, layer);
    BlockSpec spec;
    TRY_ASSIGN(spec.mixer_norm, norm(in + names_.mixer_norm, heads_.embedding));
    if (linear) {
      const auto readMixer = gguf_ ? readGgufDeltaNet : readDeltaNet;
      TRY_ASSIGN(DeltaNetSpec mixer, readMixer(weights_, in + names_.linear, delta_));
      spec.mixers.emplace_back(std::move(mixer));
    } else {
      TRY_ASSIGN(AttentionSpec mixer, attention(in));
      spec.mixers.emplace_back(std::move(mixer));
    }
    TRY_ASSIGN(spec.channel_norm, norm(in + names_.channel_norm, heads_.embedding));
    TRY_ASSIGN(spec.channel, channel(layer, in));
    return spec;
  }

  const Source& source_;
  Weights& weights_;
  bool gguf_;
  const Names& names_;
  MoeReader moe_;
  AttentionSizes heads_;
  DeltaNetSizes delta_;
  FoldedRope rope_;
  float epsilon_ = 0;
  bool attention_bias_ = false;
  std::uint32_t mlp_width_ = 0;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"qwen3_next"}, .gguf_names = {"qwen3next"}, .read = read};

}  // namespace vitrine::core::arch::qwen3_next
