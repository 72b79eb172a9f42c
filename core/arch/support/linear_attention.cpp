#include "core/arch/support/linear_attention.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kKeyHeads = {"linear_num_key_heads", ""}, kValueHeads = {"linear_num_value_heads", ""};
constexpr Key kKeyDim = {"linear_key_head_dim", ""}, kValueDim = {"linear_value_head_dim", ""};
constexpr Key kKernel = {"linear_conv_kernel_dim", "ssm.conv_kernel"};
constexpr Key kGgufKeyHeads = {"", "ssm.group_count"}, kGgufValueHeads = {"", "ssm.time_step_rank"};
constexpr Key kGgufKeyDim = {"", "ssm.state_size"}, kGgufInner = {"", "ssm.inner_size"};

// Rows that come in runs, one for each head, inside a fused projection.
Linear runsOf(const WeightRef& fused, std::uint64_t first, std::uint64_t run, std::uint64_t stride) {
  Linear part;
  part.weight = fused;
  part.weight.first_row = first;
  part.weight.rows = fused.rows / stride * run;
  part.weight.run = run;
  part.weight.stride = stride;
  return part;
}

DeltaNetSpec sized(const DeltaNetSizes& sizes) {
  return {.width = sizes.embedding,
          .key_heads = sizes.key_heads,
          .value_heads = sizes.value_heads,
          .key_dim = sizes.key_dim,
          .value_dim = sizes.value_dim};
}

// In one tensor q, k, v and z of each key head in turn.
Result<void> readByKeyHeads(Weights& weights, const std::string& name, DeltaNetSpec& spec) {
  const std::uint64_t keys = spec.key_dim, values = spec.values() / spec.key_heads;
  const std::uint64_t each = 2 * keys + 2 * values;
  TRY_ASSIGN(const WeightRef qkvz, weights.matrix(name, spec.key_heads * each, spec.width));
  spec.query = runsOf(qkvz, 0, keys, each);
  spec.key = runsOf(qkvz, keys, keys, each);
  spec.value = runsOf(qkvz, 2 * keys, values, each);
  spec.gate = runsOf(qkvz, 2 * keys + values, values, each);
  return {};
}

// b and a of each key head in turn.
Result<void> readBetaAndStep(Weights& weights, const std::string& name, DeltaNetSpec& spec) {
  const std::uint64_t shared = spec.value_heads / spec.key_heads;
  TRY_ASSIGN(const WeightRef ba, weights.matrix(name, 2 * spec.value_heads, spec.width));
  spec.beta = runsOf(ba, 0, shared, 2 * shared);
  spec.step = runsOf(ba, shared, shared, 2 * shared);
  return {};
}

}  // namespace

Result<std::vector<bool>> readLinearLayers(const Hparams& hparams, std::vector<bool> otherwise) {
  constexpr Key kTypes = {"layer_types", "attention.recurrent_layers"};
  const nlohmann::json* found = hparams.find(kTypes);
  if (!found) return otherwise;
  if (!hparams.isGguf()) {
    static constexpr std::string_view kAllowed[] = {"full_attention", "linear_attention"};
    TRY_ASSIGN(const std::vector<std::size_t> types, hparams.choices(kTypes, otherwise.size(), kAllowed));
    return std::vector<bool>(types.begin(), types.end());
  }
  // Blocks that predict further tokens may be in the list.
  std::vector<bool> linear;
  if (found->is_array())
    for (const auto& flag : *found)
      if (flag.is_boolean()) linear.push_back(flag.get<bool>());
  if (!found->is_array() || linear.size() != found->size() || linear.size() < otherwise.size())
    return hparams.refuse(kTypes, fmt::format("a truth value for each of the {} blocks", otherwise.size()));
  linear.resize(otherwise.size());
  return linear;
}

Result<LightningSpec> readLightning(Weights& weights, const LightningNames& names,
                                    const LightningSizes& sizes, std::uint32_t layer) {
  constexpr float kEpsilon = 1e-6f;  // whatever rms_norm_eps says
  const std::uint64_t width = sizes.embedding, dim = sizes.head_dim, rows = sizes.heads * dim;
  LightningSpec spec{.width = sizes.embedding, .heads = sizes.heads, .head_dim = sizes.head_dim};
  TRY_ASSIGN(const WeightRef qkv, weights.matrix(names.qkv + ".weight", 3 * rows, width));
  spec.query = runsOf(qkv, 0, dim, 3 * dim);
  spec.key = runsOf(qkv, dim, dim, 3 * dim);
  spec.value = runsOf(qkv, 2 * dim, dim, 3 * dim);
  TRY_ASSIGN(spec.gate, readLinear(weights, names.gate, rows, width, false));
  TRY_ASSIGN(spec.norm, readRmsNorm(weights, names.norm, rows, kEpsilon));
  TRY_ASSIGN(spec.output, readLinear(weights, names.output, width, rows, false));
  const double fall = 1 - layer / (sizes.layers - 1 + 1e-5) + 1e-5;
  for (std::uint32_t head = 0; head < sizes.heads; ++head)
    spec.slopes.push_back(static_cast<float>(std::exp2(-8.0 * (head + 1) / sizes.heads) * fall));
  return spec;
}

Result<DeltaNetSizes> readDeltaNetSizes(const Hparams& hparams, std::uint32_t embedding, float epsilon) {
  DeltaNetSizes sizes{.embedding = embedding, .epsilon = epsilon};
  TRY_ASSIGN(sizes.key_heads, hparams.countOr(kKeyHeads, 16, kMostHeads));
  TRY_ASSIGN(sizes.value_heads, hparams.countOr(kValueHeads, 32, kMostHeads));
  TRY_ASSIGN(sizes.key_dim, hparams.countOr(kKeyDim, 128, kMostStates));
  TRY_ASSIGN(sizes.value_dim, hparams.countOr(kValueDim, 128, kWidestHead));
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, kKernel, 4));
  if (sizes.value_heads % sizes.key_heads != 0)
    return hparams.refuse(kValueHeads, fmt::format("a multiple of the {} key heads", sizes.key_heads));
  return sizes;
}

Result<DeltaNetSpec> readDeltaNet(Weights& weights, const std::string& in, const DeltaNetSizes& sizes) {
  DeltaNetSpec spec = sized(sizes);
  TRY(readByKeyHeads(weights, in + "in_proj_qkvz.weight", spec));
  TRY(readBetaAndStep(weights, in + "in_proj_ba.weight", spec));
  TRY_ASSIGN(spec.conv,
             readConvolution(weights, in + "conv1d", 2 * spec.keys() + spec.values(), sizes.kernel, false));
  TRY_ASSIGN(spec.decay, weights.vector(in + "A_log", sizes.value_heads));
  TRY_ASSIGN(spec.dt_bias, weights.vector(in + "dt_bias", sizes.value_heads));
  TRY_ASSIGN(spec.norm, readRmsNorm(weights, in + "norm", sizes.value_dim, sizes.epsilon));
  TRY_ASSIGN(spec.output, readLinear(weights, in + "out_proj", spec.width, spec.values(), false));
  return spec;
}

Result<DeltaNetSizes> readGgufDeltaNetSizes(const Hparams& hparams, std::uint32_t embedding, float epsilon) {
  DeltaNetSizes sizes{.embedding = embedding, .epsilon = epsilon};
  TRY_ASSIGN(sizes.key_heads, hparams.count(kGgufKeyHeads, kMostHeads));
  TRY_ASSIGN(sizes.value_heads, hparams.count(kGgufValueHeads, kMostHeads));
  if (sizes.value_heads % sizes.key_heads != 0)
    return hparams.refuse(kGgufValueHeads, fmt::format("a multiple of the {} key heads", sizes.key_heads));
  TRY_ASSIGN(sizes.key_dim, hparams.count(kGgufKeyDim, kMostStates));
  TRY_ASSIGN(const std::uint32_t inner, hparams.count(kGgufInner, kWidestLayer));
  if (inner % sizes.value_heads != 0 || inner / sizes.value_heads > kWidestHead)
    return hparams.refuse(kGgufInner, fmt::format("a multiple of the {} value heads, at most {} times",
                                                  sizes.value_heads, kWidestHead));
  sizes.value_dim = inner / sizes.value_heads;
  TRY_ASSIGN(sizes.kernel, readKernel(hparams, kKernel, 0));
  return sizes;
}

Result<DeltaNetSpec> readGgufDeltaNet(Weights& weights, const std::string& in, const DeltaNetSizes& sizes) {
  DeltaNetSpec spec = sized(sizes);
  const std::uint64_t keys = spec.keys(), values = spec.values();
  const std::string old_name = in + "ssm_in.weight";
  if (weights.has(old_name)) {
    TRY(readByKeyHeads(weights, old_name, spec));
  } else {
    const auto rows = [&](std::uint64_t first, std::uint64_t count) {
      return weights.matrixPart(in + "attn_qkv.weight", 2 * keys + values, spec.width,
                                {.first = first, .count = count});
    };
    TRY_ASSIGN(spec.query.weight, rows(0, keys));
    TRY_ASSIGN(spec.key.weight, rows(keys, keys));
    TRY_ASSIGN(spec.value.weight, rows(2 * keys, values));
    TRY_ASSIGN(spec.gate, readLinear(weights, in + "attn_gate", values, spec.width, false));
  }
  TRY(readBetaAndStep(weights, in + "ssm_ba.weight", spec));
  TRY_ASSIGN(spec.conv, readConvolution(weights, in + "ssm_conv1d",
                                        static_cast<std::uint32_t>(2 * keys + values), sizes.kernel, false));
  TRY_ASSIGN(spec.decay, weights.vector(in + "ssm_a", sizes.value_heads));
  spec.decay_is_log = false;
  TRY_ASSIGN(spec.dt_bias, weights.vector(in + "ssm_dt.bias", sizes.value_heads));
  TRY_ASSIGN(spec.norm, readRmsNorm(weights, in + "ssm_norm", sizes.value_dim, sizes.epsilon));
  TRY_ASSIGN(spec.output, readLinear(weights, in + "ssm_out", spec.width, values, false));
  return spec;
}

}  // namespace vitrine::core::arch
