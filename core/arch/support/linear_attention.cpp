#include "core/arch/support/linear_attention.h"

#include <cmath>

#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kKeyHeads = {"linear_num_key_heads", ""}, kValueHeads = {"linear_num_value_heads", ""};
constexpr Key kKeyDim = {"linear_key_head_dim", ""}, kValueDim = {"linear_value_head_dim", ""};
constexpr Key kKernel = {"linear_conv_kernel_dim", ""};

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

}  // namespace

Result<std::vector<bool>> readLinearLayers(const Hparams& hparams, std::vector<bool> otherwise) {
  constexpr Key kTypes = {"layer_types", ""};
  if (!hparams.has(kTypes)) return otherwise;
  static constexpr std::string_view kAllowed[] = {"full_attention", "linear_attention"};
  TRY_ASSIGN(const std::vector<std::size_t> types, hparams.choices(kTypes, otherwise.size(), kAllowed));
  return std::vector<bool>(types.begin(), types.end());
}

Result<LightningSpec> readLightning(Weights& weights, const std::string& in, const LightningSizes& sizes,
                                    std::uint32_t layer) {
  constexpr float kEpsilon = 1e-6f;  // whatever rms_norm_eps says
  const std::uint64_t width = sizes.embedding, dim = sizes.head_dim, rows = sizes.heads * dim;
  LightningSpec spec{.width = sizes.embedding, .heads = sizes.heads, .head_dim = sizes.head_dim};
  TRY_ASSIGN(const WeightRef qkv, weights.matrix(in + "qkv_proj.weight", 3 * rows, width));
  spec.query = runsOf(qkv, 0, dim, 3 * dim);
  spec.key = runsOf(qkv, dim, dim, 3 * dim);
  spec.value = runsOf(qkv, 2 * dim, dim, 3 * dim);
  TRY_ASSIGN(spec.gate, readLinear(weights, in + "output_gate", rows, width, false));
  TRY_ASSIGN(spec.norm, readRmsNorm(weights, in + "norm", rows, kEpsilon));
  TRY_ASSIGN(spec.output, readLinear(weights, in + "out_proj", width, rows, false));
  // Tables that follow from the slopes; some checkpoints carry them along.
  for (const char* table : {"slope_rate", "query_decay", "key_decay", "diagonal_decay"})
    weights.ignore(in + table);
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
  DeltaNetSpec spec{.width = sizes.embedding,
                    .key_heads = sizes.key_heads,
                    .value_heads = sizes.value_heads,
                    .key_dim = sizes.key_dim,
                    .value_dim = sizes.value_dim};
  const std::uint64_t width = sizes.embedding, keys = sizes.key_dim;
  const std::uint64_t shared = sizes.value_heads / sizes.key_heads, values = shared * sizes.value_dim;
  const std::uint64_t each = 2 * keys + 2 * values;  // q, k, v, z of a key head
  TRY_ASSIGN(const WeightRef qkvz, weights.matrix(in + "in_proj_qkvz.weight", sizes.key_heads * each, width));
  spec.query = runsOf(qkvz, 0, keys, each);
  spec.key = runsOf(qkvz, keys, keys, each);
  spec.value = runsOf(qkvz, 2 * keys, values, each);
  spec.gate = runsOf(qkvz, 2 * keys + values, values, each);
  TRY_ASSIGN(const WeightRef ba, weights.matrix(in + "in_proj_ba.weight", 2 * sizes.value_heads, width));
  spec.beta = runsOf(ba, 0, shared, 2 * shared);
  spec.step = runsOf(ba, shared, shared, 2 * shared);
  TRY_ASSIGN(spec.conv,
             readConvolution(weights, in + "conv1d", 2 * spec.keys() + spec.values(), sizes.kernel, false));
  TRY_ASSIGN(spec.decay, weights.vector(in + "A_log", sizes.value_heads));
  TRY_ASSIGN(spec.dt_bias, weights.vector(in + "dt_bias", sizes.value_heads));
  TRY_ASSIGN(spec.norm, readRmsNorm(weights, in + "norm", sizes.value_dim, sizes.epsilon));
  TRY_ASSIGN(spec.output, readLinear(weights, in + "out_proj", width, spec.values(), false));
  return spec;
}

}  // namespace vitrine::core::arch
