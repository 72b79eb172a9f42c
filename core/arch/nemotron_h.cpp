// Nemotron-H (NVIDIA, arXiv:2504.03624): each layer is one thing, Mamba-2, attention without positions, or an
// MLP of squared ReLUs without a gate, behind a norm. Mamba-2's B, C and its norm come in groups of heads.
// llama.cpp tells the layers apart by their numbers of key-value heads and their MLP's widths.
#include <algorithm>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch::nemotron_h {
namespace {

constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kMlpWidth = {"intermediate_size", "feed_forward_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kEpsilon = {"layer_norm_epsilon", "attention.layer_norm_rms_epsilon"};
constexpr Key kQueryHeads = {"num_attention_heads", "attention.head_count"};
constexpr Key kQueryDim = {"head_dim", "attention.key_length"};
constexpr Key kKvHeads = {"num_key_value_heads", "attention.head_count_kv"}, kLayers = {"", "block_count"};
constexpr Key kTypes = {"layers_block_type", ""}, kPattern = {"hybrid_override_pattern", ""};
constexpr Key kMlpActivation = {"mlp_hidden_act", ""}, kMlpBias = {"mlp_bias", ""};
constexpr Key kActivation = {"mamba_hidden_act", ""}, kBias = {"use_bias", ""};
constexpr Key kHeads = {"mamba_num_heads", ""}, kHeadDim = {"mamba_head_dim", ""};
constexpr Key kState = {"ssm_state_size", ""};
constexpr Key kAttentionBias = {"attention_bias", ""}, kWindow = {"sliding_window", ""};
// Names of today and of older files, which win where both stand.
constexpr Key kGroups = {"n_groups", ""}, kOldGroups = {"mamba_n_groups", ""};
constexpr Key kKernel = {"conv_kernel", ""}, kOldKernel = {"mamba_d_conv", ""};
constexpr Key kConvBias = {"use_conv_bias", ""}, kOldConvBias = {"mamba_conv_bias", ""};
constexpr Key kLeastStep = {"time_step_min", ""}, kOldLeastStep = {"mamba_dt_min", ""};
constexpr std::uint32_t kDefaultContext = 4096;

enum class LayerType { kMamba, kAttention, kMlp };

Result<std::vector<LayerType>> typesOfPattern(const Hparams& hparams) {
  std::vector<LayerType> types;
  TRY_ASSIGN(const std::string pattern, hparams.textOr(kPattern, ""));
  for (const char letter : pattern) {
    if (letter != 'M' && letter != '*' && letter != '-')
      return hparams.refuse(kPattern, "made of M, * and - (experts, E, are not read)");
    types.push_back(letter == 'M'   ? LayerType::kMamba
                    : letter == '*' ? LayerType::kAttention
                                    : LayerType::kMlp);
  }
  return types;
}

Result<std::vector<LayerType>> readGgufTypes(const Hparams& hparams) {
  TRY_ASSIGN(const std::uint32_t layers, hparams.count(kLayers, kMostLayers));
  TRY_ASSIGN(const auto kv_heads, readLayerNumbers(hparams, kKvHeads, layers, kMostHeads));
  TRY_ASSIGN(const auto widths, readLayerNumbers(hparams, kMlpWidth, layers, kWidestLayer));
  std::vector<LayerType> types;
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    if (kv_heads[layer] != 0 && widths[layer] != 0)
      return hparams.refuse(kMlpWidth, fmt::format("0 in layer {}, which is one of attention", layer));
    types.push_back(kv_heads[layer] != 0 ? LayerType::kAttention
                    : widths[layer] != 0 ? LayerType::kMlp
                                         : LayerType::kMamba);
  }
  return types;
}

Result<std::vector<LayerType>> readTypes(const Hparams& hparams) {
  if (hparams.isGguf()) return readGgufTypes(hparams);
  std::vector<LayerType> types;
  if (hparams.has(kPattern)) {
    TRY_ASSIGN(types, typesOfPattern(hparams));
  } else {
    static constexpr std::string_view kAllowed[] = {"linear_attention", "mamba", "full_attention",
                                                    "attention", "mlp"};
    static constexpr LayerType kMeant[] = {LayerType::kMamba, LayerType::kMamba, LayerType::kAttention,
                                           LayerType::kAttention, LayerType::kMlp};
    TRY_ASSIGN(const std::vector<std::size_t> places, hparams.choices(kTypes, 0, kAllowed));
    for (const std::size_t place : places) types.push_back(kMeant[place]);
  }
  if (types.empty() || types.size() > kMostLayers)
    return hparams.refuse(kTypes, fmt::format("a list of 1 to {} layers", kMostLayers));
  return types;
}

Key eitherOf(const Hparams& hparams, Key today, Key old) {
  return hparams.has(old) ? old : today;
}

Result<Mamba2Sizes> readMambaSizes(const Hparams& hparams, std::uint32_t embedding) {
  if (hparams.isGguf()) return readGgufMamba2Sizes(hparams, embedding);
  Mamba2Sizes sizes{.embedding = embedding};
  TRY_ASSIGN(sizes.heads, hparams.countOr(kHeads, 128, kMostHeads));
  TRY_ASSIGN(sizes.head_dim, hparams.countOr(kHeadDim, 64, kWidestHead));
  TRY_ASSIGN(sizes.state, hparams.countOr(kState, 128, kMostStates));
  TRY_ASSIGN(sizes.groups, hparams.countOr(eitherOf(hparams, kGroups, kOldGroups), 8, kMostHeads));
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, eitherOf(hparams, kKernel, kOldKernel), 4));
  TRY_ASSIGN(sizes.conv_bias, hparams.flagOr(eitherOf(hparams, kConvBias, kOldConvBias), true));
  TRY_ASSIGN(sizes.input_bias, hparams.flagOr(kBias, false));
  sizes.output_bias = sizes.input_bias;
  TRY(requireSilu(hparams, kActivation));
  TRY(checkMamba2(sizes, 0));
  return sizes;
}

struct Names {
  std::string norm;
  AttentionNames attention;
  MlpNames mlp;
};
const Names kHuggingFace = {"norm",
                            {"mixer.q_proj", "mixer.k_proj", "mixer.v_proj", "mixer.o_proj"},
                            {"", "mixer.up_proj", "mixer.down_proj"}};
const Names kGguf = {"attn_norm", {"attn_q", "attn_k", "attn_v", "attn_output"}, {"", "ffn_up", "ffn_down"}};

class Reader {
 public:
  explicit Reader(const Source& source)
      : source_(source),
        hparams_(source.hparams),
        gguf_(source.hparams.isGguf()),
        names_(gguf_ ? kGguf : kHuggingFace) {}

  Result<ModelSpec> read() {
    ModelSpec spec;
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(const std::vector<LayerType> types, readTypes(hparams_));
    TRY_ASSIGN(mamba_, readMambaSizes(hparams_, embedding));
    TRY(readOthers(embedding));
    TRY(gguf_ ? readGgufOthers(types) : readOwnOthers());
    TRY_ASSIGN(spec.context_length, hparams_.countOr(kContext, kDefaultContext, kLongestContext));
    const bool saved_anew = source_.weights.has("model.embeddings.weight");
    const std::string model = saved_anew ? "model." : "backbone.";
    const EndNames ends = gguf_ ? EndNames{"token_embd", "output_norm", "output"}
                                : EndNames{model + "embeddings", model + "norm_f", "lm_head"};
    const std::string layers = gguf_ ? "blk." : model + "layers.";
    TRY(readEnds(source_, ends, embedding, epsilon_, false, spec));
    for (std::size_t layer = 0; layer < types.size(); ++layer) {
      TRY_ASSIGN(BlockSpec next, block(fmt::format("{}{}.", layers, layer), types[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<void> readOthers(std::uint32_t embedding) {
    heads_.embedding = embedding;
    TRY_ASSIGN(heads_.heads, hparams_.countOr(kQueryHeads, 32, kMostHeads));
    TRY_ASSIGN(heads_.head_dim, hparams_.countOr(kQueryDim, 128, kWidestHead));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams_, kEpsilon, 1e-5));
    return {};
  }

  // config.json's.
  Result<void> readOwnOthers() {
    TRY_ASSIGN(heads_.kv_heads, hparams_.countOr(kKvHeads, 8, kMostHeads));
    if (heads_.heads % heads_.kv_heads != 0)
      return hparams_.refuse(kKvHeads, fmt::format("a divisor of the {} heads", heads_.heads));
    TRY_ASSIGN(mlp_width_, hparams_.countOr(kMlpWidth, 21'504, kWidestLayer));
    TRY_ASSIGN(mlp_activation_, readActivation(hparams_, kMlpActivation, "relu2"));
    TRY_ASSIGN(mlp_bias_, hparams_.flagOr(kMlpBias, false));
    TRY_ASSIGN(const double least_dt,
               hparams_.positiveOr(eitherOf(hparams_, kLeastStep, kOldLeastStep), 0.001));
    least_dt_ = static_cast<float>(least_dt);
    TRY_ASSIGN(const bool biased, hparams_.flagOr(kAttentionBias, false));
    if (biased) return hparams_.refuse(kAttentionBias, "false");
    if (hparams_.has(kWindow)) return hparams_.refuse(kWindow, "null");
    return {};
  }

  Result<void> readGgufOthers(const std::vector<LayerType>& types) {
    const auto layers = static_cast<std::uint32_t>(types.size());
    TRY_ASSIGN(const auto kv_heads, readLayerNumbers(hparams_, kKvHeads, layers, kMostHeads));
    TRY_ASSIGN(const auto widths, readLayerNumbers(hparams_, kMlpWidth, layers, kWidestLayer));
    heads_.kv_heads = std::max(1u, *std::ranges::max_element(kv_heads));
    mlp_width_ = *std::ranges::max_element(widths);
    if (heads_.heads % heads_.kv_heads != 0)
      return hparams_.refuse(kKvHeads, fmt::format("divisors of the {} heads", heads_.heads));
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      attention_bias_ |= source_.weights.has(fmt::format("blk.{}.attn_q.bias", layer));
      mlp_bias_ |= source_.weights.has(fmt::format("blk.{}.ffn_up.bias", layer));
    }
    return {};
  }

  Result<Mamba2Spec> stateSpace(const std::string& in) {
    if (gguf_) return readGgufMamba2(source_.weights, in, mamba_, epsilon_);
    TRY_ASSIGN(Mamba2Spec spec, readMamba2(source_.weights, in + "mixer.", mamba_));
    spec.least_dt = least_dt_;
    TRY_ASSIGN(spec.norm, readRmsNorm(source_.weights, in + "mixer.norm", spec.inner(), epsilon_));
    spec.norm_groups = mamba_.groups;
    return spec;
  }

  Result<BlockSpec> block(const std::string& in, LayerType type) {
    BlockSpec spec;
    Weights& weights = source_.weights;
    TRY_ASSIGN(const Norm norm, readRmsNorm(weights, in + names_.norm, heads_.embedding, epsilon_));
    if (type == LayerType::kMlp) {
      spec.channel_norm = norm;
      TRY_ASSIGN(spec.channel, readMlp(weights, {"", in + names_.mlp.up, in + names_.mlp.down},
                                       heads_.embedding, mlp_width_, mlp_activation_, mlp_bias_));
      return spec;
    }
    spec.mixer_norm = norm;
    if (type == LayerType::kAttention) {
      const AttentionNames& names = names_.attention;
      TRY_ASSIGN(
          AttentionSpec mixer,
          readAttention(weights, {in + names.query, in + names.key, in + names.value, in + names.output},
                        heads_, attention_bias_));
      spec.mixers.emplace_back(std::move(mixer));
      return spec;
    }
    TRY_ASSIGN(Mamba2Spec mixer, stateSpace(in));
    spec.mixers.emplace_back(std::move(mixer));
    return spec;
  }

  const Source& source_;
  const Hparams& hparams_;
  bool gguf_;
  const Names& names_;
  Mamba2Sizes mamba_;
  AttentionSizes heads_;
  std::uint32_t mlp_width_ = 0;
  Activation mlp_activation_ = Activation::kReluSquared;
  bool mlp_bias_ = false, attention_bias_ = false;
  float epsilon_ = 0, least_dt_ = 0;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"nemotron_h"}, .gguf_names = {"nemotron_h"}, .read = read};

}  // namespace vitrine::core::arch::nemotron_h
