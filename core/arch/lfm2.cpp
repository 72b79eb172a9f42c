// LFM2 (Liquid AI, arXiv:2511.23404): blocks of gated short convolutions or of attention with norms over the
// heads of q and k, each with a gated MLP. In llama.cpp's files a layer without key-value heads is one of a
// convolution, and the final norm goes by the name of the embedding's.
#include <algorithm>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch::lfm2 {
namespace {

constexpr Key kLayers = {"num_hidden_layers", "block_count"};
constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kEpsilon = {"norm_eps", "attention.layer_norm_rms_epsilon"};
constexpr Key kKernel = {"conv_L_cache", "shortconv.l_cache"}, kConvBias = {"conv_bias", ""};
constexpr Key kMlpWidth = {"intermediate_size", "feed_forward_length"}, kOldMlpWidth = {"block_ff_dim", ""};
constexpr Key kAdjust = {"block_auto_adjust_ff_dim", ""}, kFactor = {"block_ffn_dim_multiplier", ""};
constexpr Key kMultiple = {"block_multiple_of", ""};
constexpr Key kTypes = {"layer_types", ""}, kAttentionLayers = {"full_attn_idxs", ""};
constexpr Key kHeads = {"num_attention_heads", "attention.head_count"};
constexpr Key kLayerKvHeads = {"", "attention.head_count_kv"};
constexpr Key kTied = {"tie_word_embeddings", ""}, kOldTied = {"tie_embedding", ""};
constexpr Key kTheta = {"rope_theta", "rope.freq_base"}, kRope = {"rope_parameters", ""};
constexpr std::uint32_t kDefaultContext = 128'000;

struct Names {
  std::string_view embedding, final_norm, head, block;
  std::string_view mixer_norm, channel_norm, query, key, value, output, query_norm, key_norm;
  std::string_view conv, conv_input, conv_output, gate, up, down;
};
constexpr Names kHuggingFace = {"model.embed_tokens", "model.embedding_norm",  "lm_head",
                                "model.layers.",      "operator_norm",         "ffn_norm",
                                "self_attn.q_proj",   "self_attn.k_proj",      "self_attn.v_proj",
                                "self_attn.out_proj", "self_attn.q_layernorm", "self_attn.k_layernorm",
                                "conv.conv",          "conv.in_proj",          "conv.out_proj",
                                "feed_forward.w1",    "feed_forward.w3",       "feed_forward.w2"};
constexpr Names kGguf = {"token_embd",
                         "token_embd_norm",
                         "output",
                         "blk.",
                         "attn_norm",
                         "ffn_norm",
                         "attn_q",
                         "attn_k",
                         "attn_v",
                         "attn_output",
                         "attn_q_norm",
                         "attn_k_norm",
                         "shortconv.conv",
                         "shortconv.in_proj",
                         "shortconv.out_proj",
                         "ffn_gate",
                         "ffn_up",
                         "ffn_down"};

// config.json's width is the one of an MLP without a gate: two thirds of it, rounded up to whole blocks.
Result<std::uint32_t> readMlpWidth(const Hparams& hparams) {
  TRY_ASSIGN(const std::uint32_t stored,
             hparams.count(hparams.has(kOldMlpWidth) ? kOldMlpWidth : kMlpWidth, kWidestLayer));
  if (hparams.isGguf()) return stored;
  TRY_ASSIGN(const bool adjust, hparams.flagOr(kAdjust, true));
  if (!adjust) return stored;
  const std::uint32_t inner = 2 * stored / 3;
  if (hparams.mentions(kFactor) && !hparams.has(kFactor)) return inner;  // null: as it is
  TRY_ASSIGN(const double factor, hparams.positiveOr(kFactor, 1));
  TRY_ASSIGN(const std::uint32_t multiple, hparams.countOr(kMultiple, 256, kWidestLayer));
  if (inner * factor > kWidestLayer) return hparams.refuse(kFactor, "smaller: the MLP is too wide");
  const auto scaled = static_cast<std::uint32_t>(inner * factor);
  return (scaled + multiple - 1) / multiple * multiple;
}

// Whether each layer is one of attention.
Result<std::vector<bool>> typedLayers(const Hparams& hparams, std::uint32_t layers) {
  static constexpr std::string_view kAllowed[] = {"full_attention", "conv", "linear_attention"};
  TRY_ASSIGN(const std::vector<std::size_t> types, hparams.choices(kTypes, layers, kAllowed));
  std::vector<bool> attention;
  for (const std::size_t type : types) attention.push_back(type == 0);
  return attention;
}

Result<std::vector<bool>> attentionLayers(const Hparams& hparams, std::uint32_t layers) {
  if (hparams.has(kTypes)) return typedLayers(hparams, layers);
  if (!hparams.has(kAttentionLayers)) return std::vector<bool>(layers, true);
  return hparams.namedLayers(kAttentionLayers, layers);
}

class Reader {
 public:
  explicit Reader(const Source& source)
      : source_(source),
        hparams_(source.hparams),
        weights_(source.weights),
        names_(source.hparams.isGguf() ? kGguf : kHuggingFace) {}

  Result<ModelSpec> read() {
    ModelSpec spec;
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(const std::uint32_t layers, hparams_.count(kLayers, kMostLayers));
    TRY_ASSIGN(const std::vector<bool> attention, readLayers(embedding, layers));
    TRY_ASSIGN(mlp_width_, readMlpWidth(hparams_));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams_, kEpsilon, 1e-5));
    TRY_ASSIGN(kernel_, readKernel(hparams_, kKernel, hparams_.isGguf() ? 0 : 3));
    TRY_ASSIGN(conv_bias_, hparams_.flagOr(kConvBias, false));
    TRY(readTurns());
    spec.context_length = rope_.context_length;
    TRY_ASSIGN(const bool tied, hparams_.flagOr(hparams_.has(kOldTied) ? kOldTied : kTied, true));
    TRY(readEnds(source_,
                 {std::string(names_.embedding), std::string(names_.final_norm), std::string(names_.head)},
                 embedding, epsilon_, tied, spec));
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(fmt::format("{}{}.", names_.block, layer), attention[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<std::vector<bool>> readLayers(std::uint32_t embedding, std::uint32_t layers) {
    if (!hparams_.isGguf()) {
      TRY_ASSIGN(heads_, readAttentionSizes(hparams_, embedding));
      return attentionLayers(hparams_, layers);
    }
    TRY_ASSIGN(const std::vector<std::uint32_t> kv_heads,
               readLayerNumbers(hparams_, kLayerKvHeads, layers, kMostHeads));
    heads_.embedding = embedding;
    TRY_ASSIGN(heads_.heads, hparams_.count(kHeads, kMostHeads));
    heads_.kv_heads = std::max(1u, *std::ranges::max_element(kv_heads));
    if (embedding % heads_.heads != 0 || heads_.heads % heads_.kv_heads != 0)
      return hparams_.refuse(kHeads,
                             fmt::format("a divisor of {} and a multiple of {}", embedding, heads_.kv_heads));
    heads_.head_dim = embedding / heads_.heads;
    std::vector<bool> attention;
    for (const std::uint32_t n : kv_heads) attention.push_back(n != 0);
    return attention;
  }

  Result<void> readTurns() {
    TRY_ASSIGN(const std::uint32_t context, hparams_.countOr(kContext, kDefaultContext, kLongestContext));
    // The family's own default is not that of others.
    if (!hparams_.has(kTheta) && !hparams_.has(kRope)) return hparams_.refuse(kTheta, "a number");
    TRY_ASSIGN(rope_,
               readRope(hparams_, weights_, {.rotary_dim = heads_.head_dim, .context_length = context}));
    return {};
  }

  Result<AttentionSpec> attention(const std::string& in) {
    const auto name = [&in](std::string_view part) { return in + std::string(part); };
    TRY_ASSIGN(AttentionSpec spec,
               readAttention(weights_,
                             {name(names_.query), name(names_.key), name(names_.value), name(names_.output)},
                             heads_, false));
    TRY_ASSIGN(spec.query_norm, readRmsNorm(weights_, name(names_.query_norm), heads_.head_dim, epsilon_));
    TRY_ASSIGN(spec.key_norm, readRmsNorm(weights_, name(names_.key_norm), heads_.head_dim, epsilon_));
    spec.rope = rope_.rope;
    return spec;
  }

  Result<ShortConvSpec> convolution(const std::string& in) {
    const auto name = [&in](std::string_view part) { return in + std::string(part); };
    const std::uint32_t d = heads_.embedding;
    ShortConvSpec spec;
    TRY_ASSIGN(spec.input, readLinear(weights_, name(names_.conv_input), 3ull * d, d, conv_bias_));
    TRY_ASSIGN(spec.conv, readConvolution(weights_, name(names_.conv), d, kernel_, conv_bias_));
    TRY_ASSIGN(spec.output, readLinear(weights_, name(names_.conv_output), d, d, conv_bias_));
    return spec;
  }

  Result<BlockSpec> block(const std::string& in, bool with_attention) {
    const auto name = [&in](std::string_view part) { return in + std::string(part); };
    BlockSpec spec;
    TRY_ASSIGN(spec.mixer_norm, readRmsNorm(weights_, name(names_.mixer_norm), heads_.embedding, epsilon_));
    if (with_attention) {
      TRY_ASSIGN(AttentionSpec mixer, attention(in));
      spec.mixers.emplace_back(std::move(mixer));
    } else {
      TRY_ASSIGN(ShortConvSpec mixer, convolution(in));
      spec.mixers.emplace_back(std::move(mixer));
    }
    TRY_ASSIGN(spec.channel_norm,
               readRmsNorm(weights_, name(names_.channel_norm), heads_.embedding, epsilon_));
    TRY_ASSIGN(spec.channel, readMlp(weights_, {name(names_.gate), name(names_.up), name(names_.down)},
                                     heads_.embedding, mlp_width_, Activation::kSilu, false));
    return spec;
  }

  const Source& source_;
  const Hparams& hparams_;
  Weights& weights_;
  const Names& names_;
  AttentionSizes heads_;
  FoldedRope rope_;
  std::uint32_t mlp_width_ = 0, kernel_ = 0;
  float epsilon_ = 0;
  bool conv_bias_ = false;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"lfm2"}, .gguf_names = {"lfm2"}, .read = read};

}  // namespace vitrine::core::arch::lfm2
