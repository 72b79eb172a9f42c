// RecurrentGemma (arXiv:2404.07839), Griffin's architecture: recurrent blocks with a gated linear recurrent
// unit, and, in between, attention over a window.
#include <bit>
#include <cmath>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rope.h"

namespace vitrine::core::arch::recurrent_gemma {
namespace {

constexpr Key kLayers = {"num_hidden_layers", ""}, kEmbedding = {"hidden_size", ""};
constexpr Key kHeads = {"num_attention_heads", ""}, kKvHeads = {"num_key_value_heads", ""};
constexpr Key kLruWidth = {"lru_width", ""}, kKernel = {"conv1d_width", ""};
constexpr Key kWindow = {"attention_window_size", ""}, kMlpWidth = {"intermediate_size", ""};
constexpr Key kSoftCap = {"logits_soft_cap", ""}, kEpsilon = {"rms_norm_eps", ""};
constexpr Key kActivation = {"hidden_activation", ""}, kAttentionBias = {"attention_bias", ""};
constexpr Key kTypes = {"block_types", ""}, kContext = {"max_position_embeddings", ""};

struct Sizes {
  std::uint32_t layers = 0, channels = 0, kernel = 0, window = 0, mlp_width = 0;
  AttentionSizes attention;
  float epsilon = 0;
  bool attention_bias = false;
};

// transformers keeps the embedding's factor in bfloat16.
float roundedToBfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u);
}

Result<Sizes> readSizes(const Hparams& hparams) {
  Sizes sizes;
  AttentionSizes& attention = sizes.attention;
  TRY_ASSIGN(sizes.layers, hparams.count(kLayers, kMostLayers));
  TRY_ASSIGN(attention.embedding, hparams.count(kEmbedding, kWidestLayer));
  TRY_ASSIGN(attention.heads, hparams.count(kHeads, kMostHeads));
  TRY_ASSIGN(attention.kv_heads, hparams.countOr(kKvHeads, attention.heads, kMostHeads));
  if (attention.embedding % attention.heads != 0)
    return hparams.refuse(kHeads, fmt::format("a divisor of the hidden size {}", attention.embedding));
  if (attention.heads % attention.kv_heads != 0)
    return hparams.refuse(kKvHeads, fmt::format("a divisor of the {} heads", attention.heads));
  attention.head_dim = attention.embedding / attention.heads;  // whatever head_dim says
  TRY_ASSIGN(sizes.channels, hparams.countOr(kLruWidth, attention.embedding, kWidestLayer));
  if (sizes.channels % attention.heads != 0)
    return hparams.refuse(kLruWidth, fmt::format("a multiple of the {} heads", attention.heads));
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, kKernel, 4));
  TRY_ASSIGN(sizes.window, hparams.countOr(kWindow, 2048, kLongestContext));
  TRY_ASSIGN(const std::uint32_t both, hparams.count(kMlpWidth, kWidestLayer));
  if (both % 2 != 0) return hparams.refuse(kMlpWidth, "even: it counts gate and up");
  sizes.mlp_width = both / 2;
  TRY_ASSIGN(sizes.epsilon, readEpsilon(hparams, kEpsilon, 1e-6));
  TRY_ASSIGN(sizes.attention_bias, hparams.flagOr(kAttentionBias, false));
  TRY_ASSIGN(const std::string activation, hparams.textOr(kActivation, "gelu_pytorch_tanh"));
  if (activation != "gelu_pytorch_tanh") return hparams.refuse(kActivation, "gelu_pytorch_tanh");
  return sizes;
}

// Which kind each layer is; the list is repeated.
Result<std::vector<bool>> attentionLayers(const Hparams& hparams, std::uint32_t layers) {
  std::vector<bool> cycle = {false, false, true};
  if (hparams.has(kTypes)) {
    static constexpr std::string_view kAllowed[] = {"recurrent", "attention"};
    TRY_ASSIGN(const std::vector<std::size_t> types, hparams.choices(kTypes, 0, kAllowed));
    cycle.assign(types.begin(), types.end());
  }
  std::vector<bool> all;
  for (std::size_t layer = 0; layer < layers; ++layer) all.push_back(cycle[layer % cycle.size()]);
  return all;
}

class Reader {
 public:
  explicit Reader(const Source& source) : hparams_(source.hparams), weights_(source.weights) {}

  Result<ModelSpec> read(const Source& source) {
    ModelSpec spec;
    TRY_ASSIGN(sizes_, readSizes(hparams_));
    const std::uint32_t embedding = sizes_.attention.embedding;
    RopeShape shape{.partial = true};
    TRY_ASSIGN(shape.context_length, hparams_.countOr(kContext, 8192, kLongestContext));
    TRY_ASSIGN(shape.rotary_dim, readRotaryDim(hparams_, shape, sizes_.attention.head_dim, 0.5));
    TRY_ASSIGN(rope_, readRope(hparams_, weights_, shape));
    spec.context_length = rope_.context_length;
    TRY(readEnds(source, {"model.embed_tokens", "model.final_norm", "lm_head"}, embedding, sizes_.epsilon,
                 true, spec));
    spec.final_norm.gain_offset = 1;
    spec.embedding_scale = roundedToBfloat16(std::sqrt(static_cast<float>(embedding)));
    TRY_ASSIGN(const double cap, hparams_.positiveOr(kSoftCap, 30));
    spec.logit_soft_cap = static_cast<float>(cap);
    TRY_ASSIGN(const std::vector<bool> attention, attentionLayers(hparams_, sizes_.layers));
    for (std::uint32_t layer = 0; layer < sizes_.layers; ++layer) {
      TRY_ASSIGN(BlockSpec next, block(fmt::format("model.layers.{}.", layer), attention[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<Norm> norm(const std::string& name) {
    TRY_ASSIGN(Norm norm, readRmsNorm(weights_, name, sizes_.attention.embedding, sizes_.epsilon));
    norm.gain_offset = 1;
    return norm;
  }

  Result<AttentionSpec> attention(const std::string& in) {
    const AttentionSizes& sizes = sizes_.attention;
    TRY_ASSIGN(AttentionSpec spec,
               readAttention(weights_, {in + "q_proj", in + "k_proj", in + "v_proj", in + "o_proj"}, sizes,
                             sizes_.attention_bias));
    TRY_ASSIGN(spec.output.bias, weights_.vector(in + "o_proj.bias", sizes.embedding));  // always
    spec.rope = rope_.rope;
    spec.sliding_window = sizes_.window;
    return spec;
  }

  Result<RgLruSpec> recurrent(const std::string& in) {
    const std::uint32_t width = sizes_.attention.embedding, channels = sizes_.channels;
    RgLruSpec spec{.width = width, .channels = channels, .blocks = sizes_.attention.heads};
    const std::uint64_t blocks = spec.blocks, block = channels / spec.blocks;
    TRY_ASSIGN(spec.gate, readLinear(weights_, in + "linear_y", channels, width, true));
    TRY_ASSIGN(spec.input, readLinear(weights_, in + "linear_x", channels, width, true));
    TRY_ASSIGN(spec.output, readLinear(weights_, in + "linear_out", width, channels, true));
    TRY_ASSIGN(spec.conv, readConvolution(weights_, in + "conv_1d", channels, sizes_.kernel, true));
    const auto blockMatrix = [&](const char* name) -> Result<WeightRef> {
      TRY_ASSIGN(WeightRef weight, weights_.vector(in + "rg_lru." + name, {blocks, block, block}));
      weight.rows = channels;
      weight.columns = block;
      return weight;
    };
    TRY_ASSIGN(spec.recurrence_gate, blockMatrix("recurrent_gate_weight"));
    TRY_ASSIGN(spec.input_gate, blockMatrix("input_gate_weight"));
    TRY_ASSIGN(spec.recurrence_gate_bias,
               weights_.vector(in + "rg_lru.recurrent_gate_bias", {blocks, block}));
    TRY_ASSIGN(spec.input_gate_bias, weights_.vector(in + "rg_lru.input_gate_bias", {blocks, block}));
    TRY_ASSIGN(spec.lambda, weights_.vector(in + "rg_lru.recurrent_param", channels));
    return spec;
  }

  Result<BlockSpec> block(const std::string& in, bool has_attention) {
    BlockSpec spec;
    TRY_ASSIGN(spec.mixer_norm, norm(in + "temporal_pre_norm"));
    if (has_attention) {
      TRY_ASSIGN(AttentionSpec mixer, attention(in + "temporal_block."));
      spec.mixers.emplace_back(std::move(mixer));
    } else {
      TRY_ASSIGN(RgLruSpec mixer, recurrent(in + "temporal_block."));
      spec.mixers.emplace_back(std::move(mixer));
    }
    TRY_ASSIGN(spec.channel_norm, norm(in + "channel_pre_norm"));
    const std::string mlp = in + "mlp_block.";
    TRY_ASSIGN(spec.channel,
               readMlp(weights_, {mlp + "gate_proj", mlp + "up_proj", mlp + "down_proj"},
                       sizes_.attention.embedding, sizes_.mlp_width, Activation::kGeluTanh, true));
    return spec;
  }

  const Hparams& hparams_;
  Weights& weights_;
  Sizes sizes_;
  FoldedRope rope_;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read(source);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"recurrent_gemma"}, .gguf_names = {}, .read = read};

}  // namespace vitrine::core::arch::recurrent_gemma
