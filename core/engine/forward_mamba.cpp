// The state space mixers and the short convolution: the input's product, a causal convolution, the scan, the
// gate with its norm, the output's product. Everything between the products happens in place in the rows that
// the input's product gave; what goes on from token to token lies in the mixer's state, its matrix first,
// then the convolution's last inputs.
#include "core/engine/forward_decays.h"
#include "core/engine/forward_implied.h"
#include "core/engine/forward_scan.h"
#include "core/engine/mixer_memory.h"
#include "mixers/causal_conv.params.h"
#include "mixers/gated_norm.params.h"
#include "mixers/mamba2_scan.params.h"
#include "mixers/mamba_scan.params.h"

namespace vitrine::core {
namespace {

// Columns from `first` on of rows whose address is given.
std::uint64_t column(const gpu::Slice& rows, std::uint32_t first) {
  return rows.address() + std::uint64_t{first} * sizeof(float);
}

// Rows of a head's state that one subgroup has: they share its reads of B and C, as long as they fit
// registers.
std::uint32_t rowsOfSubgroup(const Mamba2Spec& spec, const Kernels& kernels) {
  constexpr std::uint32_t kMost = 4, kRegisters = 64, kSoftwareRegisters = 16;
  const std::uint32_t registers = kernels.device().info().software ? kSoftwareRegisters : kRegisters;
  const std::uint32_t each = gpu::divideUp(spec.state, kernels.lanes());
  std::uint32_t rows = kMost;
  while (rows > 1 && (spec.head_dim % rows != 0 || rows * each > registers)) rows /= 2;
  return rows;
}

enum class Gate : std::uint32_t { kNone, kBefore, kAfter };  // the GATE constant of gated_norm.comp

}  // namespace

gpu::Slice Forward::scratchRows(const Pass& pass, std::size_t index) const {
  return rowsOf(buffers_.scratch[index], 0, pass.tokens, buffers_.scratch_strides[index]);
}

Result<void> Forward::convolve(const Pass& pass, const ConvCall& call) {
  const gpu::Slice rows = scratchRows(pass, call.scratch);
  const bool silu = !call.gates && call.after == ConvCall::After::kSilu;
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("mixers/causal_conv", kPlainSubgroups,
                          {{0, call.spec.kernel}, {1, silu}, {2, call.gates.has_value()}}));
  const shader::CausalConvParams params{
      .state = buffers_.state.address(),
      .x = column(rows, call.x),
      .y = column(rows, call.y),
      .b = call.gates ? column(rows, call.gates->first) : 0,
      .c = call.gates ? column(rows, call.gates->second) : 0,
      .weight = call.weights.weight.address(),
      .bias = call.weights.bias ? call.weights.bias.address() : 0,
      .past = pass.state->address() + call.matrix_floats * sizeof(float),
      .tokens = pass.tokens,
      .channels = call.spec.channels,
      .stride = buffers_.scratch_strides[call.scratch],
  };
  pass.commands.dispatch(*kernel, {gpu::divideUp(call.spec.channels, kernels_.lanes())}, params,
                         {.reads = {buffers_.state}, .writes = {rows, *pass.state}});
  return {};
}

// In the rows of one scratch buffer.
struct Forward::GatedCall {
  std::size_t scratch = 0;
  std::uint32_t x = 0, z = 0, y = 0;  // first columns
  std::uint32_t groups = 1, columns = 0;
  const gpu::Buffer* gain = nullptr;
  std::optional<float> epsilon = {};  // of the norm, or no norm
  Gate gate = Gate::kNone;
  float z_scale = 1;
};

Result<void> Forward::gatedNorm(const Pass& pass, const GatedCall& call) {
  const gpu::Slice rows = scratchRows(pass, call.scratch);
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("mixers/gated_norm", kPlainSubgroups,
                          {{0, call.epsilon.has_value()}, {1, static_cast<std::uint32_t>(call.gate)}}));
  const shader::GatedNormParams params{
      .x = column(rows, call.x),
      .z = column(rows, call.z),
      .y = column(rows, call.y),
      .gain = call.gain && *call.gain ? call.gain->address() : 0,
      .tokens = pass.tokens,
      .stride = buffers_.scratch_strides[call.scratch],
      .groups = call.groups,
      .columns = call.columns,
      .epsilon = call.epsilon.value_or(0),
      .z_scale = call.z_scale,
  };
  pass.commands.dispatch(*kernel, {pass.tokens * call.groups}, params, {.reads = {}, .writes = {rows}});
  return {};
}

Result<void> Forward::record(const Pass& pass, const MambaSpec& spec, const MambaWeights& weights) {
  const std::uint32_t stride = buffers_.scratch_strides[0], parameters = buffers_.scratch_strides[1];
  TRY(kernels_.matmul(pass.commands, product(pass, weights.input, buffers_.scratch[0], stride)));
  TRY(convolve(
      pass,
      {.spec = spec.conv, .weights = weights.conv, .matrix_floats = std::uint64_t{spec.inner} * spec.state}));
  TRY(kernels_.matmul(pass.commands, {.matrix = &weights.parameters,
                                      .x = scratchRows(pass, 0),
                                      .x_stride = stride,
                                      .y = scratchRows(pass, 1),
                                      .y_stride = parameters,
                                      .tokens = pass.tokens}));
  if (spec.parameters_epsilon) {
    const std::pair<std::uint32_t, std::uint32_t> parts[] = {// first column, columns
                                                             {0, spec.rank},
                                                             {spec.rank, spec.state},
                                                             {spec.rank + spec.state, spec.state}};
    for (const auto& [first, columns] : parts)
      TRY(gatedNorm(
          pass,
          {.scratch = 1, .x = first, .y = first, .columns = columns, .epsilon = spec.parameters_epsilon}));
  }
  TRY(kernels_.matmul(pass.commands, {.matrix = &weights.step,
                                      .x = scratchRows(pass, 1),
                                      .x_stride = parameters,
                                      .y = scratchRows(pass, 2),
                                      .y_stride = buffers_.scratch_strides[2],
                                      .tokens = pass.tokens}));
  TRY(storeDecays(pass, {.rule = DecayCall::Rule::kSteps,
                         .x = scratchColumns(pass, 2),
                         .shared_by = spec.state,
                         .rate = weights.decay.address()}));
  TRY(mambaScan(pass, spec, weights));
  return project(pass, weights.output, buffers_.scratch[0], stride);
}

Result<void> Forward::mambaScan(const Pass& pass, const MambaSpec& spec, const MambaWeights& weights) {
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("mixers/mamba_scan", kPlainSubgroups, {{0, spec.state}}));
  const gpu::Slice rows = scratchRows(pass, 0), parameters = scratchRows(pass, 1), dt = scratchRows(pass, 2);
  const shader::MambaScanParams params{
      .state = buffers_.state.address(),
      .x = column(rows, 0),
      .z = column(rows, spec.inner),
      .dt = dt.address(),
      .b = column(parameters, spec.rank),
      .c = column(parameters, spec.rank + spec.state),
      .decay = weights.decay.address(),
      .skip = weights.skip.address(),
      .h = pass.state->address(),
      .tokens = pass.tokens,
      .inner = spec.inner,
      .stride = buffers_.scratch_strides[0],
      .dt_stride = buffers_.scratch_strides[2],
      .bc_stride = buffers_.scratch_strides[1],
  };
  pass.commands.dispatch(*kernel, {gpu::divideUp(spec.inner, kernels_.lanes())}, params,
                         {.reads = {buffers_.state, parameters, dt}, .writes = {rows, *pass.state}});
  return {};
}

Result<void> Forward::record(const Pass& pass, const Mamba2Spec& spec, const Mamba2Weights& weights) {
  const std::uint32_t stride = buffers_.scratch_strides[0], inner = spec.inner();
  MatmulCall input = product(pass, weights.input, buffers_.scratch[0], stride);
  input.scale = spec.input_scale;
  TRY(kernels_.matmul(pass.commands, input));
  TRY(convolve(pass, {.spec = spec.conv,
                      .weights = weights.conv,
                      .matrix_floats = std::uint64_t{inner} * spec.state,
                      .x = inner,
                      .y = inner}));
  const std::uint32_t b = 2 * inner, c = b + spec.groups * spec.state;
  const Columns steps = scratchColumns(pass, 0, inner + spec.conv.channels);
  TRY(storeDecays(pass, {.rule = DecayCall::Rule::kSteps,
                         .x = steps,
                         .rate = weights.decay.address(),
                         .bias = weights.dt_bias.address(),
                         .scale = spec.scales.dt,
                         .least = spec.least_dt,
                         .most = spec.most_dt}));
  TRY(imply(pass, {.rule = ImpliedCall::Rule::kSteps,
                   .q = scratchColumns(pass, 0, c),
                   .k = scratchColumns(pass, 0, b),
                   .write = steps,
                   .keep = {},
                   .decay = weights.decay.address(),
                   .bias = weights.dt_bias.address(),
                   .scale = spec.scales.dt,
                   .least = spec.least_dt,
                   .most = spec.most_dt}));
  TRY(mamba2Scan(pass, spec, weights));
  const std::uint32_t groups = spec.norm ? spec.norm_groups : 1;
  TRY(gatedNorm(pass, {.x = inner,
                       .z = 0,
                       .y = 0,
                       .groups = groups,
                       .columns = inner / groups,
                       .gain = &weights.gain,
                       .epsilon = spec.norm ? std::optional(spec.norm->epsilon) : std::nullopt,
                       .gate = spec.norm_before_gate ? Gate::kAfter : Gate::kBefore,
                       .z_scale = spec.scales.z}));
  return project(pass, weights.output, buffers_.scratch[0], stride);
}

Result<void> Forward::mamba2Scan(const Pass& pass, const Mamba2Spec& spec, const Mamba2Weights& weights) {
  const std::uint32_t rows_each = rowsOfSubgroup(spec, kernels_);
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("mixers/mamba2_scan", kPlainSubgroups, {{0, spec.state}, {1, rows_each}}));
  const gpu::Slice rows = scratchRows(pass, 0);
  const shader::Mamba2ScanParams params{
      .state = buffers_.state.address(),
      .x = column(rows, spec.inner()),
      .dt = column(rows, spec.inner() + spec.conv.channels),
      .dt_bias = weights.dt_bias.address(),
      .decay = weights.decay.address(),
      .skip = weights.skip.address(),
      .h = pass.state->address(),
      .tokens = pass.tokens,
      .stride = buffers_.scratch_strides[0],
      .heads = spec.heads,
      .head_dim = spec.head_dim,
      .groups = spec.groups,
      .dt_scale = spec.scales.dt,
      .least_dt = spec.least_dt,
      .most_dt = spec.most_dt,
  };
  pass.commands.dispatch(*kernel, {spec.inner() / rows_each}, params,
                         {.reads = {buffers_.state}, .writes = {rows, *pass.state}});
  return {};
}

Result<void> Forward::record(const Pass& pass, const ShortConvSpec& spec, const ShortConvWeights& weights) {
  const std::uint32_t stride = buffers_.scratch_strides[0], channels = spec.conv.channels;
  TRY(kernels_.matmul(pass.commands, product(pass, weights.input, buffers_.scratch[0], stride)));
  TRY(convolve(pass, {.spec = spec.conv,
                      .weights = weights.conv,
                      .x = 2 * channels,
                      .y = 0,
                      .gates = std::pair(0u, channels)}));
  return project(pass, weights.output, buffers_.scratch[0], stride);
}

}  // namespace vitrine::core
