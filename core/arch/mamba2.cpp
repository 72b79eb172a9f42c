// Mamba-2 (arXiv:2405.21060). config.json's model has one gated norm over all channels, llama.cpp's one for
// each group of heads; llama.cpp stores A instead of its logarithm.
#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch::mamba2 {
namespace {

constexpr Key kLayers = {"num_hidden_layers", "block_count"};
constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kExpand = {"expand", ""};
constexpr Key kHeads = {"num_heads", ""};
constexpr Key kHeadDim = {"head_dim", ""};
constexpr Key kState = {"state_size", ""};
constexpr Key kGroups = {"n_groups", ""};
constexpr Key kKernel = {"conv_kernel", ""};
constexpr Key kContext = {"", "context_length"};
constexpr Key kEpsilon = {"layer_norm_epsilon", "attention.layer_norm_rms_epsilon"};
constexpr Key kBias = {"use_bias", ""}, kConvBias = {"use_conv_bias", ""}, kActivation = {"hidden_act", ""};
constexpr Key kStepLimits = {"time_step_limit", ""};

Result<Mamba2Sizes> readSizes(const Hparams& hparams) {
  Mamba2Sizes sizes;
  TRY_ASSIGN(sizes.embedding, hparams.count(kEmbedding, kWidestLayer));
  if (hparams.isGguf()) return readGgufMamba2Sizes(hparams, sizes.embedding);
  TRY_ASSIGN(const std::uint32_t expand, hparams.countOr(kExpand, 2, kWidestExpansion));
  TRY_ASSIGN(sizes.heads, hparams.countOr(kHeads, 128, kMostHeads));
  TRY_ASSIGN(sizes.head_dim, hparams.countOr(kHeadDim, 64, kWidestHead));
  TRY_ASSIGN(sizes.state, hparams.countOr(kState, 128, kMostStates));
  TRY_ASSIGN(sizes.groups, hparams.countOr(kGroups, 8, kMostHeads));
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, kKernel, 4));
  TRY_ASSIGN(sizes.conv_bias, hparams.flagOr(kConvBias, true));
  TRY_ASSIGN(sizes.input_bias, hparams.flagOr(kBias, false));
  sizes.output_bias = sizes.input_bias;
  TRY(checkMamba2(sizes, std::uint64_t{expand} * sizes.embedding));
  return sizes;
}

Result<Mamba2Spec> readMixer(const Source& source, const std::string& block, const Mamba2Sizes& sizes,
                             float epsilon) {
  if (source.hparams.isGguf()) return readGgufMamba2(source.weights, block, sizes, epsilon);
  TRY_ASSIGN(Mamba2Spec spec, readMamba2(source.weights, block + "mixer.", sizes));
  TRY_ASSIGN(const StepLimits limits, readStepLimits(source.hparams, kStepLimits));
  spec.least_dt = limits.least;
  spec.most_dt = limits.most;
  TRY_ASSIGN(spec.norm, readRmsNorm(source.weights, block + "mixer.norm", spec.inner(), epsilon));
  return spec;
}

Result<ModelSpec> read(const Source& source) {
  const bool gguf = source.hparams.isGguf();
  ModelSpec spec;
  TRY_ASSIGN(const Mamba2Sizes sizes, readSizes(source.hparams));
  TRY_ASSIGN(const float epsilon, readEpsilon(source.hparams, kEpsilon, 1e-5));
  TRY_ASSIGN(const std::uint32_t layers, source.hparams.count(kLayers, kMostLayers));
  TRY_ASSIGN(spec.context_length, source.hparams.countOr(kContext, kEndlessContext, kLongestContext));
  TRY(requireSilu(source.hparams, kActivation));
  const EndNames ends = gguf ? EndNames{"token_embd", "output_norm", "output"}
                             : EndNames{"backbone.embeddings", "backbone.norm_f", "lm_head"};
  TRY(readEnds(source, ends, sizes.embedding, epsilon, false, spec));
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const std::string block = fmt::format("{}{}.", gguf ? "blk." : "backbone.layers.", layer);
    BlockSpec next;
    TRY_ASSIGN(next.mixer_norm,
               readRmsNorm(source.weights, block + (gguf ? "attn_norm" : "norm"), sizes.embedding, epsilon));
    TRY_ASSIGN(Mamba2Spec mixer, readMixer(source, block, sizes, epsilon));
    next.mixers.emplace_back(std::move(mixer));
    spec.blocks.push_back(std::move(next));
  }
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"mamba2"}, .gguf_names = {"mamba2"}, .read = read};

}  // namespace vitrine::core::arch::mamba2
