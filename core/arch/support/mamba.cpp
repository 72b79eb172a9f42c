#include "core/arch/support/mamba.h"

#include <cmath>

#include "core/arch/support/parts.h"

namespace vitrine::core::arch {
namespace {

using nlohmann::json;

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

}  // namespace vitrine::core::arch
