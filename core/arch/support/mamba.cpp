#include "core/arch/support/mamba.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/arch/support/parts.h"

namespace vitrine::core::arch {
namespace {

using nlohmann::json;

constexpr Key kHeads = {"mamba_n_heads", ""}, kHeadDim = {"mamba_d_head", ""};
constexpr Key kState = {"mamba_d_state", ""}, kGroups = {"mamba_n_groups", ""};
constexpr Key kKernel = {"mamba_d_conv", ""}, kExpand = {"mamba_expand", ""};
constexpr Key kConvBias = {"mamba_conv_bias", ""}, kBias = {"mamba_proj_bias", ""};

constexpr Key kGgufInner = {"", "ssm.inner_size"}, kGgufHeads = {"", "ssm.time_step_rank"};
constexpr Key kGgufState = {"", "ssm.state_size"}, kGgufGroups = {"", "ssm.group_count"};
constexpr Key kGgufKernel = {"", "ssm.conv_kernel"};

// A number from 0 on; infinity as transformers writes it into JSON, which has none.
std::optional<double> limitOf(const json& value) {
  if (value.is_number()) {
    const double number = value.get<double>();
    return number >= 0 ? std::optional(number) : std::nullopt;
  }
  const json* text = &value;
  if (value.is_object() && value.size() == 1 && value.contains("__float__")) text = &value.at("__float__");
  if (*text == "Infinity") return std::numeric_limits<double>::infinity();
  return std::nullopt;
}

}  // namespace

Result<std::uint32_t> readKernel(const Hparams& hparams, Key key, std::uint32_t otherwise) {
  TRY_ASSIGN(const std::uint32_t kernel, otherwise == 0
                                             ? hparams.count(key, kLongestConvolution)
                                             : hparams.countOr(key, otherwise, kLongestConvolution));
  if (kernel < 2) return hparams.refuse(key, fmt::format("a whole number from 2 to {}", kLongestConvolution));
  return kernel;
}

Result<CausalConv> readConvolution(Weights& weights, const std::string& name, std::uint32_t channels,
                                   std::uint32_t kernel, bool bias) {
  CausalConv conv{.channels = channels, .kernel = kernel, .weight = {}, .bias = {}};
  TRY_ASSIGN(conv.weight, weights.convolution(name + ".weight", channels, kernel));
  if (bias) {
    TRY_ASSIGN(conv.bias, weights.vector(name + ".bias", channels));
  }
  return conv;
}

Result<void> requireSilu(const Hparams& hparams, Key key) {
  TRY_ASSIGN(const Activation activation, readActivation(hparams, key, "silu"));
  if (activation != Activation::kSilu) return hparams.refuse(key, "silu");
  return {};
}

Result<StepLimits> readStepLimits(const Hparams& hparams, Key key) {
  const json* found = hparams.find(key);
  if (!found) return StepLimits{};
  const bool pair = found->is_array() && found->size() == 2;
  const auto least = pair ? limitOf((*found)[0]) : std::nullopt;
  const auto most = pair ? limitOf((*found)[1]) : std::nullopt;
  if (!least || !most || std::isinf(*least) || *least > *most)
    return hparams.refuse(key, "two numbers from 0 on, the second not less than the first");
  return StepLimits{static_cast<float>(*least), static_cast<float>(*most)};
}

Result<void> checkMamba2(const Mamba2Sizes& sizes, std::uint64_t inner) {
  if (sizes.heads % sizes.groups != 0)
    return fail(ErrorCode::kInvalidFile, "{} groups of a state space do not divide its {} heads",
                sizes.groups, sizes.heads);
  const std::uint64_t found = std::uint64_t{sizes.heads} * sizes.head_dim;
  if ((inner != 0 && found != inner) || found > kWidestLayer)
    return fail(ErrorCode::kInvalidFile, "{} heads of {} dimensions: expected {} channels, found {}",
                sizes.heads, sizes.head_dim, inner, found);
  return {};
}

Result<Mamba2Spec> readMamba2(Weights& weights, const std::string& prefix, const Mamba2Sizes& sizes) {
  Mamba2Spec spec;
  spec.heads = sizes.heads;
  spec.head_dim = sizes.head_dim;
  spec.state = sizes.state;
  spec.groups = sizes.groups;
  const std::uint32_t channels = spec.inner() + 2 * sizes.groups * sizes.state;
  TRY_ASSIGN(spec.conv, readConvolution(weights, prefix + "conv1d", channels, sizes.kernel, sizes.conv_bias));
  TRY_ASSIGN(spec.input,
             readLinear(weights, prefix + "in_proj", spec.width(), sizes.embedding, sizes.input_bias));
  TRY_ASSIGN(spec.dt_bias, weights.vector(prefix + "dt_bias", sizes.heads));
  TRY_ASSIGN(spec.decay, weights.vector(prefix + "A_log", sizes.heads));
  spec.decay_is_log = true;
  TRY_ASSIGN(spec.skip, weights.vector(prefix + "D", sizes.heads));
  TRY_ASSIGN(spec.output,
             readLinear(weights, prefix + "out_proj", sizes.embedding, spec.inner(), sizes.output_bias));
  return spec;
}

Result<Mamba2Sizes> readGgufMamba2Sizes(const Hparams& hparams, std::uint32_t embedding) {
  Mamba2Sizes sizes{.embedding = embedding};
  TRY_ASSIGN(const std::uint32_t inner, hparams.count(kGgufInner, kWidestLayer));
  TRY_ASSIGN(sizes.heads, hparams.count(kGgufHeads, kMostHeads));
  if (inner % sizes.heads != 0)
    return hparams.refuse(kGgufInner, fmt::format("a multiple of the {} heads", sizes.heads));
  sizes.head_dim = inner / sizes.heads;
  TRY_ASSIGN(sizes.state, hparams.count(kGgufState, kMostStates));
  TRY_ASSIGN(sizes.groups, hparams.count(kGgufGroups, kMostHeads));
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, kGgufKernel, 0));
  TRY(checkMamba2(sizes, inner));
  return sizes;
}

Result<Mamba2Spec> readGgufMamba2(Weights& weights, const std::string& prefix, const Mamba2Sizes& sizes,
                                  float epsilon) {
  using Shape = std::vector<std::uint64_t>;
  Mamba2Spec spec;
  spec.heads = sizes.heads;
  spec.head_dim = sizes.head_dim;
  spec.state = sizes.state;
  spec.groups = spec.norm_groups = sizes.groups;
  const std::uint32_t channels = spec.inner() + 2 * sizes.groups * sizes.state;
  TRY_ASSIGN(spec.conv, readConvolution(weights, prefix + "ssm_conv1d", channels, sizes.kernel,
                                        weights.has(prefix + "ssm_conv1d.bias")));
  TRY_ASSIGN(spec.input, readLinear(weights, prefix + "ssm_in", spec.width(), sizes.embedding, false));
  TRY_ASSIGN(spec.dt_bias, weights.vector(prefix + "ssm_dt.bias", sizes.heads));
  TRY_ASSIGN(spec.decay, weights.vector(prefix + "ssm_a", Shape{sizes.heads, 1}));
  TRY_ASSIGN(spec.skip, weights.vector(prefix + "ssm_d", Shape{sizes.heads, 1}));
  if (const std::string norm = prefix + "ssm_norm.weight"; weights.has(norm)) {
    spec.norm.emplace().epsilon = epsilon;
    TRY_ASSIGN(spec.norm->weight, weights.vector(norm, Shape{sizes.groups, spec.inner() / sizes.groups}));
  }
  TRY_ASSIGN(spec.output, readLinear(weights, prefix + "ssm_out", sizes.embedding, spec.inner(), false));
  return spec;
}

Result<Mamba2Sizes> readHybridSizes(const Hparams& hparams, std::uint32_t embedding, std::uint32_t inner) {
  Mamba2Sizes sizes{.embedding = embedding};
  TRY_ASSIGN(const std::uint32_t expand, hparams.countOr(kExpand, 2, kWidestExpansion));
  if (inner == 0) inner = expand * embedding;
  TRY_ASSIGN(sizes.heads, hparams.countOr(kHeads, 128, kMostHeads));
  const json* head_dim = hparams.find(kHeadDim);
  if (!head_dim || *head_dim == "auto") {
    if (inner % sizes.heads != 0)
      return hparams.refuse(kHeads, fmt::format("a divisor of the {} channels", inner));
    sizes.head_dim = inner / sizes.heads;
  } else {
    TRY_ASSIGN(sizes.head_dim, hparams.count(kHeadDim, kWidestHead));
  }
  TRY_ASSIGN(sizes.state, hparams.countOr(kState, 256, kMostStates));
  TRY_ASSIGN(sizes.groups, hparams.countOr(kGroups, 1, kMostHeads));
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, kKernel, 4));
  TRY_ASSIGN(sizes.conv_bias, hparams.flagOr(kConvBias, true));
  TRY_ASSIGN(sizes.input_bias, hparams.flagOr(kBias, false));
  sizes.output_bias = sizes.input_bias;
  TRY(checkMamba2(sizes, inner));
  return sizes;
}

}  // namespace vitrine::core::arch
