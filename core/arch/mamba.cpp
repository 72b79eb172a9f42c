// Mamba (arXiv:2312.00752) and Falcon-Mamba (arXiv:2410.05355), which normalizes dt, B and C. llama.cpp calls
// both "mamba", stores A instead of its logarithm and tells Falcon's norms by a flag; they take the epsilon
// of the blocks' norms there.

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch::mamba {
namespace {

constexpr Key kLayers = {"num_hidden_layers", "block_count"};
constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kInner = {"intermediate_size", "ssm.inner_size"};
constexpr Key kExpand = {"expand", ""};
constexpr Key kState = {"state_size", "ssm.state_size"};
constexpr Key kRank = {"time_step_rank", "ssm.time_step_rank"};
constexpr Key kKernel = {"conv_kernel", "ssm.conv_kernel"};
constexpr Key kContext = {"", "context_length"};
constexpr Key kEpsilon = {"layer_norm_epsilon", "attention.layer_norm_rms_epsilon"};
constexpr Key kPartsEpsilon = {"mixer_rms_eps", ""};
constexpr Key kNormedParts = {"", "ssm.dt_b_c_rms"};
constexpr Key kModelType = {"model_type", ""};
constexpr Key kBias = {"use_bias", ""}, kConvBias = {"use_conv_bias", ""}, kActivation = {"hidden_act", ""};

struct Sizes {
  std::uint32_t embedding = 0, inner = 0, state = 0, rank = 0, kernel = 0;
  float epsilon = 0;
  std::optional<float> parts_epsilon;
  bool bias = false, conv_bias = true;
};

Result<std::uint32_t> readRank(const Hparams& hparams, std::uint32_t embedding) {
  constexpr std::uint32_t kChannelsEach = 16;
  if (!hparams.isGguf() && (!hparams.has(kRank) || hparams.isText(kRank, "auto")))
    return (embedding + kChannelsEach - 1) / kChannelsEach;
  return hparams.count(kRank, kWidestLayer);
}

Result<std::optional<float>> readPartsEpsilon(const Hparams& hparams, float of_blocks) {
  if (hparams.isGguf()) {
    TRY_ASSIGN(const bool normed, hparams.flagOr(kNormedParts, false));
    return normed ? std::optional(of_blocks) : std::nullopt;
  }
  TRY_ASSIGN(const std::string model_type, hparams.textOr(kModelType, ""));
  if (model_type != "falcon_mamba") return std::nullopt;
  TRY_ASSIGN(const float epsilon, readEpsilon(hparams, kPartsEpsilon, 1e-6));
  return std::optional(epsilon);
}

Result<Sizes> readSizes(const Hparams& hparams) {
  Sizes sizes;
  TRY_ASSIGN(sizes.embedding, hparams.count(kEmbedding, kWidestLayer));
  TRY_ASSIGN(const std::uint32_t expand, hparams.countOr(kExpand, 2, kWidestExpansion));
  TRY_ASSIGN(sizes.inner, hparams.isGguf() ? hparams.count(kInner, kWidestLayer)
                                           : hparams.countOr(kInner, expand * sizes.embedding, kWidestLayer));
  TRY_ASSIGN(sizes.state, hparams.isGguf() ? hparams.count(kState, kMostStates)
                                           : hparams.countOr(kState, 16, kMostStates));
  TRY_ASSIGN(sizes.rank, readRank(hparams, sizes.embedding));
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, kKernel, hparams.isGguf() ? 0 : 4));
  TRY_ASSIGN(sizes.epsilon, readEpsilon(hparams, kEpsilon, 1e-5));
  TRY_ASSIGN(sizes.parts_epsilon, readPartsEpsilon(hparams, sizes.epsilon));
  TRY_ASSIGN(sizes.bias, hparams.flagOr(kBias, false));
  TRY_ASSIGN(sizes.conv_bias, hparams.flagOr(kConvBias, true));
  TRY(requireSilu(hparams, kActivation));
  return sizes;
}

struct Names {
  std::string_view input, conv, parameters, step, decay, skip, output;
};
constexpr Names kHuggingFace = {"mixer.in_proj", "mixer.conv1d", "mixer.x_proj",  "mixer.dt_proj",
                                "mixer.A_log",   "mixer.D",      "mixer.out_proj"};
constexpr Names kGguf = {"ssm_in", "ssm_conv1d", "ssm_x", "ssm_dt", "ssm_a", "ssm_d", "ssm_out"};

Result<MambaSpec> readMixer(const Source& source, const Sizes& sizes, const std::string& block) {
  const Names& names = source.hparams.isGguf() ? kGguf : kHuggingFace;
  const auto in = [&block](std::string_view part) { return block + std::string(part); };
  Weights& weights = source.weights;
  MambaSpec spec{.inner = sizes.inner, .state = sizes.state, .rank = sizes.rank};
  spec.parameters_epsilon = sizes.parts_epsilon;
  spec.decay_is_log = !source.hparams.isGguf();
  const std::uint64_t inner = sizes.inner;
  TRY_ASSIGN(spec.input, readLinear(weights, in(names.input), 2 * inner, sizes.embedding, sizes.bias));
  TRY_ASSIGN(spec.conv, readConvolution(weights, in(names.conv), sizes.inner, sizes.kernel, sizes.conv_bias));
  TRY_ASSIGN(spec.parameters,
             readLinear(weights, in(names.parameters), sizes.rank + 2 * sizes.state, inner, false));
  TRY_ASSIGN(spec.step, readLinear(weights, in(names.step), inner, sizes.rank, true));
  TRY_ASSIGN(spec.decay, weights.matrix(in(names.decay), inner, sizes.state));
  TRY_ASSIGN(spec.skip, weights.vector(in(names.skip), inner));
  TRY_ASSIGN(spec.output, readLinear(weights, in(names.output), sizes.embedding, inner, sizes.bias));
  return spec;
}

Result<ModelSpec> read(const Source& source) {
  const bool gguf = source.hparams.isGguf();
  ModelSpec spec;
  TRY_ASSIGN(const Sizes sizes, readSizes(source.hparams));
  TRY_ASSIGN(const std::uint32_t layers, source.hparams.count(kLayers, kMostLayers));
  TRY_ASSIGN(spec.context_length, source.hparams.countOr(kContext, kEndlessContext, kLongestContext));
  const EndNames ends = gguf ? EndNames{"token_embd", "output_norm", "output"}
                             : EndNames{"backbone.embeddings", "backbone.norm_f", "lm_head"};
  TRY(readEnds(source, ends, sizes.embedding, sizes.epsilon, true, spec));
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const std::string block = fmt::format("{}{}.", gguf ? "blk." : "backbone.layers.", layer);
    BlockSpec next;
    TRY_ASSIGN(next.mixer_norm, readRmsNorm(source.weights, block + (gguf ? "attn_norm" : "norm"),
                                            sizes.embedding, sizes.epsilon));
    TRY_ASSIGN(MambaSpec mixer, readMixer(source, sizes, block));
    next.mixers.emplace_back(std::move(mixer));
    spec.blocks.push_back(std::move(next));
  }
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"mamba", "falcon_mamba"}, .gguf_names = {"mamba"}, .read = read};

}  // namespace vitrine::core::arch::mamba
