// MiniMax-01 (arXiv:2501.08313) as transformers has it: lightning attention, softmax attention in between,
// experts in all layers, and a stream that goes on from what the norms give. llama.cpp knows one factor of
// that stream, and heads that turn in part.
#include "core/arch/support/linear_attention.h"
#include "core/arch/support/moe.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch::minimax {
namespace {

constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kEpsilon = {"rms_norm_eps", "attention.layer_norm_rms_epsilon"};
constexpr Key kActivation = {"hidden_act", ""}, kWindow = {"sliding_window", ""};
constexpr Key kRotaryDim = {"rotary_dim", ""}, kInterval = {"", "full_attention_interval"};
constexpr Key kResidualScale = {"", "residual_scale"};

constexpr MoeTraits kMoe = {.router = "block_sparse_moe.gate",
                            .experts = "block_sparse_moe.experts",
                            .gate = "w1",
                            .up = "w3",
                            .down = "w2",
                            .width = {"intermediate_size", "feed_forward_length"},
                            .normalize_hf = true,
                            .normalize_gguf = true};

struct Names {
  EndNames ends;
  std::string block, mixer_norm, channel_norm;
  AttentionNames attention;
  LightningNames lightning;
};
const Names kHuggingFace = {
    {"model.embed_tokens", "model.norm", "lm_head"},
    "model.layers.",
    "input_layernorm",
    "post_attention_layernorm",
    {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"},
    {"self_attn.qkv_proj", "self_attn.output_gate", "self_attn.norm", "self_attn.out_proj"}};
const Names kGguf = {{"token_embd", "output_norm", "output"},
                     "blk.",
                     "attn_norm",
                     "ffn_norm",
                     {"attn_q", "attn_k", "attn_v", "attn_output"},
                     {"attn_qkv", "attn_gate", "attn_norm_2", "attn_output"}};

// x = alpha n + beta f(n)
struct Factors {
  float alpha = 1, beta = 1;
};

Result<Factors> readFactors(const Hparams& hparams, std::string_view part) {
  const std::string names[] = {fmt::format("{}_alpha_factor", part), fmt::format("{}_beta_factor", part)};
  TRY_ASSIGN(const double alpha, hparams.positiveOr({names[0], ""}, 1));
  TRY_ASSIGN(const double beta, hparams.positiveOr({names[1], ""}, 1));
  return Factors{static_cast<float>(alpha), static_cast<float>(beta)};
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
    TRY_ASSIGN(layers_, readBlockCount(hparams_));
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(heads_, readAttentionSizes(hparams_, embedding));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams_, kEpsilon, 1e-5));
    TRY_ASSIGN(const Activation activation, readActivation(hparams_, kActivation, "silu"));
    if (activation != Activation::kSilu) return hparams_.refuse(kActivation, "silu");
    TRY(moe_.readSizes(layers_, embedding, activation));
    TRY(readPositions(spec));
    TRY(readAllFactors());
    TRY(readEnds(source_, names_.ends, embedding, epsilon_, false, spec));
    TRY_ASSIGN(const std::vector<bool> linear, linearLayers());
    for (std::uint32_t layer = 0; layer < layers_; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(layer, linear[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<void> readPositions(ModelSpec& spec) {
    TRY_ASSIGN(const std::uint32_t window, hparams_.countOrNone(kWindow, 0, kLongestContext));
    if (window != 0) return hparams_.refuse(kWindow, "null");
    RopeShape shape;
    if (gguf_) {
      TRY_ASSIGN(shape.rotary_dim, readRotaryDim(hparams_, shape, heads_.head_dim, 1));
    } else {
      shape.default_theta = 1e6;
      TRY_ASSIGN(shape.rotary_dim, hparams_.countOr(kRotaryDim, heads_.head_dim, kWidestHead));
      if (shape.rotary_dim != heads_.head_dim)
        return hparams_.refuse(kRotaryDim, fmt::format("{}, whole heads", heads_.head_dim));
    }
    TRY_ASSIGN(shape.context_length, hparams_.countOr(kContext, 4096 * 32, kLongestContext));
    TRY_ASSIGN(rope_, readRope(hparams_, weights_, shape));
    spec.context_length = rope_.context_length;
    return {};
  }

  Result<void> readAllFactors() {
    if (gguf_) {
      TRY_ASSIGN(const double alpha, hparams_.positive(kResidualScale));
      linear_factors_.alpha = full_factors_.alpha = mlp_factors_.alpha = static_cast<float>(alpha);
      return {};
    }
    TRY_ASSIGN(linear_factors_, readFactors(hparams_, "linear_attn"));
    TRY_ASSIGN(full_factors_, readFactors(hparams_, "full_attn"));
    TRY_ASSIGN(mlp_factors_, readFactors(hparams_, "mlp"));
    return {};
  }

  // Where the file does not list them: in config.json every other one, in GGUF all but every eighth.
  Result<std::vector<bool>> linearLayers() {
    TRY_ASSIGN(const std::uint32_t interval, hparams_.countOr(kInterval, 8, kMostLayers));
    std::vector<bool> linear(layers_);
    for (std::size_t layer = 0; layer < layers_; ++layer)
      linear[layer] = gguf_ ? (layer + 1) % interval != 0 : layer % 2 == 1;
    return readLinearLayers(hparams_, std::move(linear));
  }

  Result<AttentionSpec> attention(const std::string& in) {
    const AttentionNames& names = names_.attention;
    TRY_ASSIGN(
        AttentionSpec spec,
        readAttention(weights_, {in + names.query, in + names.key, in + names.value, in + names.output},
                      heads_, false));
    spec.rope = rope_.rope;
    return spec;
  }

  Result<LightningSpec> lightning(const std::string& in, std::uint32_t layer) {
    const LightningNames& names = names_.lightning;
    // Tables that follow from the slopes; some checkpoints carry them along.
    for (const char* table : {"slope_rate", "query_decay", "key_decay", "diagonal_decay"})
      weights_.ignore(in + "self_attn." + table);
    return readLightning(weights_, {in + names.qkv, in + names.gate, in + names.norm, in + names.output},
                         {heads_.embedding, heads_.heads, heads_.head_dim, layers_}, layer);
  }

  Result<BlockSpec> block(std::uint32_t layer, bool linear) {
    const std::string in = fmt::format("{}{}.", names_.block, layer);
    BlockSpec spec;
    spec.residual = Residual::kNormalized;
    TRY_ASSIGN(spec.mixer_norm, readRmsNorm(weights_, in + names_.mixer_norm, heads_.embedding, epsilon_));
    const Factors& factors = linear ? linear_factors_ : full_factors_;
    spec.mixer_skip = factors.alpha;
    spec.mixer_scale = factors.beta;
    if (linear) {
      TRY_ASSIGN(LightningSpec mixer, lightning(in, layer));
      spec.mixers.emplace_back(std::move(mixer));
    } else {
      TRY_ASSIGN(AttentionSpec mixer, attention(in));
      spec.mixers.emplace_back(std::move(mixer));
    }
    TRY_ASSIGN(spec.channel_norm,
               readRmsNorm(weights_, in + names_.channel_norm, heads_.embedding, epsilon_));
    TRY_ASSIGN(spec.channel, moe_.read(in));
    spec.channel_skip = mlp_factors_.alpha;
    spec.channel_scale = mlp_factors_.beta;
    return spec;
  }

  const Source& source_;
  const Hparams& hparams_;
  Weights& weights_;
  bool gguf_;
  const Names& names_;
  MoeReader moe_;
  std::uint32_t layers_ = 0;
  AttentionSizes heads_;
  FoldedRope rope_;
  float epsilon_ = 0;
  Factors linear_factors_, full_factors_, mlp_factors_;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"minimax"}, .gguf_names = {"minimax-01"}, .read = read};

}  // namespace vitrine::core::arch::minimax
