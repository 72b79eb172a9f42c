// MiniMax-01 (arXiv:2501.08313) as transformers has it: lightning attention, softmax attention in between,
// experts in all layers, and a stream that goes on from what the norms give.
#include "core/arch/support/linear_attention.h"
#include "core/arch/support/moe.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kLayers = {"num_hidden_layers", ""}, kEmbedding = {"hidden_size", ""};
constexpr Key kContext = {"max_position_embeddings", ""}, kEpsilon = {"rms_norm_eps", ""};
constexpr Key kActivation = {"hidden_act", ""}, kWindow = {"sliding_window", ""};
constexpr Key kRotaryDim = {"rotary_dim", ""};

constexpr MoeTraits kMoe = {.router = "block_sparse_moe.gate",
                            .experts = "block_sparse_moe.experts",
                            .gate = "w1",
                            .up = "w3",
                            .down = "w2",
                            .width = {"intermediate_size", ""},
                            .normalize_hf = true};

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
      : source_(source), weights_(source.weights), moe_(source.hparams, source.weights, kMoe) {}

  Result<ModelSpec> read() {
    const Hparams& hparams = source_.hparams;
    ModelSpec spec;
    TRY_ASSIGN(layers_, hparams.count(kLayers, kMostLayers));
    TRY_ASSIGN(const std::uint32_t embedding, hparams.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(heads_, readAttentionSizes(hparams, embedding));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams, kEpsilon, 1e-5));
    TRY_ASSIGN(const Activation activation, readActivation(hparams, kActivation, "silu"));
    if (activation != Activation::kSilu) return hparams.refuse(kActivation, "silu");
    TRY(moe_.readSizes(layers_, embedding, activation));
    TRY(readPositions(spec));
    TRY_ASSIGN(linear_factors_, readFactors(hparams, "linear_attn"));
    TRY_ASSIGN(full_factors_, readFactors(hparams, "full_attn"));
    TRY_ASSIGN(mlp_factors_, readFactors(hparams, "mlp"));
    TRY(readEnds(source_, {"model.embed_tokens", "model.norm", "lm_head"}, embedding, epsilon_, false, spec));
    std::vector<bool> every_other(layers_);
    for (std::size_t layer = 1; layer < layers_; layer += 2) every_other[layer] = true;
    TRY_ASSIGN(const std::vector<bool> linear, readLinearLayers(hparams, every_other));
    for (std::uint32_t layer = 0; layer < layers_; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(layer, linear[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<void> readPositions(ModelSpec& spec) {
    const Hparams& hparams = source_.hparams;
    TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, 0, kLongestContext));
    if (window != 0) return hparams.refuse(kWindow, "null");
    TRY_ASSIGN(const std::uint32_t turned, hparams.countOr(kRotaryDim, heads_.head_dim, kWidestHead));
    if (turned != heads_.head_dim)
      return hparams.refuse(kRotaryDim, fmt::format("{}, whole heads", heads_.head_dim));
    RopeShape shape{.rotary_dim = turned, .default_theta = 1e6};
    TRY_ASSIGN(shape.context_length, hparams.countOr(kContext, 4096 * 32, kLongestContext));
    TRY_ASSIGN(rope_, readRope(hparams, weights_, shape));
    spec.context_length = rope_.context_length;
    return {};
  }

  Result<BlockSpec> block(std::uint32_t layer, bool linear) {
    const std::string in = fmt::format("model.layers.{}.", layer), attention = in + "self_attn.";
    BlockSpec spec;
    spec.residual = Residual::kNormalized;
    TRY_ASSIGN(spec.mixer_norm, readRmsNorm(weights_, in + "input_layernorm", heads_.embedding, epsilon_));
    const Factors& factors = linear ? linear_factors_ : full_factors_;
    spec.mixer_skip = factors.alpha;
    spec.mixer_scale = factors.beta;
    if (linear) {
      const LightningSizes sizes{heads_.embedding, heads_.heads, heads_.head_dim, layers_};
      TRY_ASSIGN(LightningSpec mixer, readLightning(weights_, attention, sizes, layer));
      spec.mixers.emplace_back(std::move(mixer));
    } else {
      TRY_ASSIGN(AttentionSpec mixer, readAttention(weights_,
                                                    {attention + "q_proj", attention + "k_proj",
                                                     attention + "v_proj", attention + "o_proj"},
                                                    heads_, false));
      mixer.rope = rope_.rope;
      spec.mixers.emplace_back(std::move(mixer));
    }
    TRY_ASSIGN(spec.channel_norm,
               readRmsNorm(weights_, in + "post_attention_layernorm", heads_.embedding, epsilon_));
    TRY_ASSIGN(spec.channel, moe_.read(in));
    spec.channel_skip = mlp_factors_.alpha;
    spec.channel_scale = mlp_factors_.beta;
    return spec;
  }

  const Source& source_;
  Weights& weights_;
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

extern const Architecture minimax;
const Architecture minimax = {.model_types = {"minimax"}, .gguf_names = {}, .read = read};

}  // namespace vitrine::core::arch
