// Nemotron-H (NVIDIA, arXiv:2504.03624): each layer is one thing, Mamba-2, attention without positions, or an
// MLP of squared ReLUs without a gate, behind a norm. Mamba-2's B, C and its norm come in groups of heads.
#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kEmbedding = {"hidden_size", ""}, kMlpWidth = {"intermediate_size", ""};
constexpr Key kContext = {"max_position_embeddings", ""}, kEpsilon = {"layer_norm_epsilon", ""};
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

Result<std::vector<LayerType>> readTypes(const Hparams& hparams) {
  std::vector<LayerType> types;
  if (hparams.has(kPattern)) {
    TRY_ASSIGN(types, typesOfPattern(hparams));
  } else if (const nlohmann::json* list = hparams.find(kTypes); list && list->is_array()) {
    for (const nlohmann::json& type : *list) {
      if (type == "linear_attention" || type == "mamba")
        types.push_back(LayerType::kMamba);
      else if (type == "full_attention" || type == "attention")
        types.push_back(LayerType::kAttention);
      else if (type == "mlp")
        types.push_back(LayerType::kMlp);
      else
        return hparams.refuse(kTypes, "made of linear_attention, full_attention and mlp");
    }
  }
  if (types.empty() || types.size() > kMostLayers)
    return hparams.refuse(kTypes, fmt::format("a list of 1 to {} layers", kMostLayers));
  return types;
}

Key eitherOf(const Hparams& hparams, Key today, Key old) {
  return hparams.has(old) ? old : today;
}

Result<Mamba2Sizes> readMambaSizes(const Hparams& hparams, std::uint32_t embedding) {
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

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source), hparams_(source.hparams) {}

  Result<ModelSpec> read() {
    ModelSpec spec;
    TRY_ASSIGN(const std::uint32_t embedding, hparams_.count(kEmbedding, kWidestLayer));
    TRY_ASSIGN(const std::vector<LayerType> types, readTypes(hparams_));
    TRY_ASSIGN(mamba_, readMambaSizes(hparams_, embedding));
    TRY_ASSIGN(const double least_dt,
               hparams_.positiveOr(eitherOf(hparams_, kLeastStep, kOldLeastStep), 0.001));
    least_dt_ = static_cast<float>(least_dt);
    TRY(readOthers(embedding));
    TRY_ASSIGN(spec.context_length, hparams_.countOr(kContext, kDefaultContext, kLongestContext));
    const bool saved_anew = source_.weights.has("model.embeddings.weight");
    const std::string model = saved_anew ? "model." : "backbone.";
    TRY(readEnds(source_, {model + "embeddings", model + "norm_f", "lm_head"}, embedding, epsilon_, false,
                 spec));
    for (std::size_t layer = 0; layer < types.size(); ++layer) {
      TRY_ASSIGN(BlockSpec next, block(fmt::format("{}layers.{}.", model, layer), types[layer]));
      spec.blocks.push_back(std::move(next));
    }
    return spec;
  }

 private:
  Result<void> readOthers(std::uint32_t embedding) {
    TRY_ASSIGN(heads_, readAttentionSizes(hparams_, embedding));
    TRY_ASSIGN(epsilon_, readEpsilon(hparams_, kEpsilon, 1e-5));
    TRY_ASSIGN(mlp_width_, hparams_.countOr(kMlpWidth, 21'504, kWidestLayer));
    TRY_ASSIGN(mlp_activation_, readActivation(hparams_, kMlpActivation, "relu2"));
    TRY_ASSIGN(mlp_bias_, hparams_.flagOr(kMlpBias, false));
    TRY_ASSIGN(const bool biased, hparams_.flagOr(kAttentionBias, false));
    if (biased) return hparams_.refuse(kAttentionBias, "false");
    if (hparams_.has(kWindow)) return hparams_.refuse(kWindow, "null");
    return {};
  }

  Result<BlockSpec> block(const std::string& in, LayerType type) {
    BlockSpec spec;
    Weights& weights = source_.weights;
    TRY_ASSIGN(const Norm norm, readRmsNorm(weights, in + "norm", heads_.embedding, epsilon_));
    if (type == LayerType::kMlp) {
      spec.channel_norm = norm;
      TRY_ASSIGN(spec.channel, readMlp(weights, {"", in + "mixer.up_proj", in + "mixer.down_proj"},
                                       heads_.embedding, mlp_width_, mlp_activation_, mlp_bias_));
      return spec;
    }
    spec.mixer_norm = norm;
    if (type == LayerType::kAttention) {
      TRY_ASSIGN(AttentionSpec mixer, readAttention(weights,
                                                    {in + "mixer.q_proj", in + "mixer.k_proj",
                                                     in + "mixer.v_proj", in + "mixer.o_proj"},
                                                    heads_, false));
      spec.mixers.emplace_back(std::move(mixer));
      return spec;
    }
    TRY_ASSIGN(Mamba2Spec mixer, readMamba2(weights, in + "mixer.", mamba_));
    mixer.least_dt = least_dt_;
    TRY_ASSIGN(mixer.norm, readRmsNorm(weights, in + "mixer.norm", mixer.inner(), epsilon_));
    mixer.norm_groups = mamba_.groups;
    spec.mixers.emplace_back(std::move(mixer));
    return spec;
  }

  const Source& source_;
  const Hparams& hparams_;
  Mamba2Sizes mamba_;
  AttentionSizes heads_;
  std::uint32_t mlp_width_ = 0;
  Activation mlp_activation_ = Activation::kReluSquared;
  bool mlp_bias_ = false;
  float epsilon_ = 0, least_dt_ = 0;
};

Result<ModelSpec> read(const Source& source) {
  return Reader(source).read();
}

}  // namespace

extern const Architecture nemotron_h;
const Architecture nemotron_h = {.model_types = {"nemotron_h"}, .gguf_names = {}, .read = read};

}  // namespace vitrine::core::arch
