// Griffin's recurrent block and linear attention: the input's products, gates, the scan, norm and gate, the
// output's product. A state holds the scan's numbers first.
#include <cmath>

#include "core/engine/forward_decays.h"
#include "core/engine/forward_implied.h"
#include "core/engine/forward_scan.h"
#include "core/engine/mixer_memory.h"
#include "mixers/delta_prepare.params.h"
#include "mixers/mlstm_gates.params.h"
#include "mixers/rg_lru_gates.params.h"
#include "mixers/rg_lru_scan.params.h"

namespace vitrine::core {
MatmulCall Forward::productInto(const Pass& pass, const Matrix& matrix, std::size_t to) const {
  return product(pass, matrix, buffers_.scratch[to], buffers_.scratch_strides[to]);
}

Result<void> Forward::record(const Pass& pass, const RgLruSpec& spec, const RgLruWeights& weights) {
  constexpr std::size_t kGate = 0, kInput = 1, kDecay = 2, kAdded = 3;
  MatmulCall gate = productInto(pass, weights.gate, kGate);
  gate.epilogue = Epilogue::kActivate;
  gate.activation = Activation::kGeluTanh;
  TRY(kernels_.matmul(pass.commands, gate));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.input, kInput)));
  TRY(convolve(pass, {.spec = spec.conv,
                      .weights = weights.conv,
                      .scratch = kInput,
                      .matrix_floats = spec.channels,
                      .after = ConvCall::After::kNone}));
  const std::uint32_t tokens_each = pass.tokens == 1 ? 1 : 4;
  TRY_ASSIGN(const gpu::Kernel* gates,
             kernels_.get("mixers/rg_lru_gates", kPlainSubgroups, {{0, tokens_each}}));
  const Columns x = scratchColumns(pass, kInput), a = scratchColumns(pass, kDecay);
  const Columns added = scratchColumns(pass, kAdded), y = scratchColumns(pass, kGate);
  const std::uint32_t groups = gpu::divideUp(spec.channels, kernels_.lanes());
  const shader::RgLruGatesParams gate_params{
      .state = buffers_.state.address(),
      .x = x.address(),
      .a = a.address(),
      .added = added.address(),
      .recurrence = weights.recurrence_gate.address(),
      .gate = weights.input_gate.address(),
      .recurrence_bias = weights.recurrence_gate_bias.address(),
      .gate_bias = weights.input_gate_bias.address(),
      .speed = weights.speed.address(),
      .tokens = pass.tokens,
      .channels = spec.channels,
      .block = spec.channels / spec.blocks,
      .x_stride = x.stride,
      .a_stride = a.stride,
      .added_stride = added.stride,
  };
  pass.commands.dispatch(*gates, {groups, gpu::divideUp(pass.tokens, tokens_each)}, gate_params,
                         {.reads = {buffers_.state, x.rows}, .writes = {a.rows, added.rows}});
  TRY(storeDecays(pass, {.x = a}));
  TRY_ASSIGN(const gpu::Kernel* scan, kernels_.get("mixers/rg_lru_scan", kPlainSubgroups));
  const shader::RgLruScanParams params{
      .state = buffers_.state.address(),
      .a = a.address(),
      .added = added.address(),
      .y = y.address(),
      .h = pass.state->address(),
      .tokens = pass.tokens,
      .channels = spec.channels,
      .a_stride = a.stride,
      .added_stride = added.stride,
      .y_stride = y.stride,
  };
  pass.commands.dispatch(*scan, {groups}, params,
                         {.reads = {buffers_.state, a.rows, added.rows}, .writes = {y.rows, *pass.state}});
  return project(pass, weights.output, buffers_.scratch[kGate], y.stride);
}

Result<void> Forward::record(const Pass& pass, const MlstmSpec& spec, const MlstmWeights& weights) {
  enum : std::size_t { kQuery, kKey, kValue, kOutputGate, kInputGate, kForgetGate, kTops, kFound };
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.query, kQuery)));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.key, kKey)));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.value, kValue)));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.output_gate, kOutputGate)));
  for (const auto& [matrix, to] :
       {std::pair{&weights.input_gate, kInputGate}, std::pair{&weights.forget_gate, kForgetGate}}) {
    MatmulCall gate = productInto(pass, *matrix, to);
    gate.soft_cap = spec.gate_soft_cap;
    TRY(kernels_.matmul(pass.commands, gate));
  }
  TRY(imply(pass, {.rule = ImpliedCall::Rule::kGates,
                   .q = scratchColumns(pass, kQuery),
                   .k = scratchColumns(pass, kKey),
                   .write = scratchColumns(pass, kInputGate),
                   .keep = scratchColumns(pass, kForgetGate)}));
  TRY(storeDecays(pass, {.rule = DecayCall::Rule::kGates, .x = scratchColumns(pass, kForgetGate)}));
  TRY(mlstmGates(pass, spec, scratchColumns(pass, kInputGate), scratchColumns(pass, kForgetGate),
                 scratchColumns(pass, kTops)));
  TRY(scan(pass, {.rule = MatrixScan::Rule::kDecay,
                  .heads = spec.heads,
                  .columns = spec.value_dim + 1,
                  .keys = spec.key_dim,
                  .ones = true,
                  .q = scratchColumns(pass, kQuery),
                  .k = scratchColumns(pass, kKey),
                  .v = scratchColumns(pass, kValue),
                  .y = scratchColumns(pass, kFound),
                  .decay = scratchColumns(pass, kForgetGate),
                  .beta = scratchColumns(pass, kInputGate),
                  .erase = {},
                  .write = {},
                  .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(spec.key_dim)))}));
  TRY(headNorm(pass, {.kind = NormKind::kLayer,
                      .epsilon = spec.norm.epsilon,
                      .gain = &weights.gain,
                      .bias = weights.bias ? &weights.bias : nullptr,
                      .groups = spec.heads,
                      .columns = spec.value_dim,
                      .x = scratchColumns(pass, kFound),
                      .y = scratchColumns(pass, kValue),
                      .gate_kind = HeadNorm::Gate::kSigmoid,
                      .gate = scratchColumns(pass, kOutputGate),
                      .tops = scratchColumns(pass, kTops),
                      .least = spec.least,
                      .bonus = {},
                      .values = {}}));
  return project(pass, weights.output, buffers_.scratch[kValue], buffers_.scratch_strides[kValue]);
}

Result<void> Forward::mlstmGates(const Pass& pass, const MlstmSpec& spec, const Columns& input,
                                 const Columns& forget, const Columns& tops) {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/mlstm_gates", kPlainSubgroups));
  const std::uint64_t matrix = std::uint64_t{spec.heads} * (spec.value_dim + 1) * spec.key_dim;
  const shader::MlstmGatesParams params{
      .state = buffers_.state.address(),
      .write = input.address(),
      .keep = forget.address(),
      .tops = tops.address(),
      .last = pass.state->address() + matrix * sizeof(float),
      .tokens = pass.tokens,
      .heads = spec.heads,
      .write_stride = input.stride,
      .keep_stride = forget.stride,
      .tops_stride = tops.stride,
  };
  pass.commands.dispatch(
      *kernel, {gpu::divideUp(spec.heads, kernels_.lanes())}, params,
      {.reads = {buffers_.state}, .writes = {input.rows, forget.rows, tops.rows, *pass.state}});
  return {};
}

Result<void> Forward::record(const Pass& pass, const LightningSpec& spec, const LightningWeights& weights) {
  enum : std::size_t { kQuery, kKey, kValue, kGate, kFound };
  for (const auto& [matrix, to] : {std::pair{&weights.query, kQuery}, std::pair{&weights.key, kKey},
                                   std::pair{&weights.value, kValue}}) {
    MatmulCall call = productInto(pass, *matrix, to);
    call.epilogue = Epilogue::kActivate;
    call.activation = Activation::kSilu;
    TRY(kernels_.matmul(pass.commands, call));
  }
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.gate, kGate)));
  const gpu::Buffer& log_decay = buffers_.layers[pass.layer].log_decay;
  TRY(imply(pass, {.rule = ImpliedCall::Rule::kConstant,
                   .q = scratchColumns(pass, kQuery),
                   .k = scratchColumns(pass, kKey),
                   .write = {},
                   .keep = {},
                   .decay = log_decay ? log_decay.address() : 0}));
  TRY(storeDecays(pass, {.x = {.rows = weights.decay}}));
  TRY(scan(pass, {.rule = MatrixScan::Rule::kDecay,
                  .heads = spec.heads,
                  .columns = spec.head_dim,
                  .keys = spec.head_dim,
                  .q = scratchColumns(pass, kQuery),
                  .k = scratchColumns(pass, kKey),
                  .v = scratchColumns(pass, kValue),
                  .y = scratchColumns(pass, kFound),
                  .decay = {.rows = weights.decay},
                  .beta = {},
                  .erase = {},
                  .write = {}}));
  TRY(headNorm(pass, {.kind = spec.norm.kind,
                      .epsilon = spec.norm.epsilon,
                      .gain = &weights.gain,
                      .columns = spec.heads * spec.head_dim,
                      .x = scratchColumns(pass, kFound),
                      .y = scratchColumns(pass, kValue),
                      .gate_kind = HeadNorm::Gate::kSigmoid,
                      .gate = scratchColumns(pass, kGate),
                      .tops = {},
                      .bonus = {},
                      .values = {}}));
  return project(pass, weights.output, buffers_.scratch[kValue], buffers_.scratch_strides[kValue]);
}

Result<void> Forward::record(const Pass& pass, const DeltaNetSpec& spec, const DeltaNetWeights& weights) {
  enum : std::size_t { kQkv, kGate, kBeta, kStep, kFound };
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.qkv, kQkv)));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.gate, kGate)));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.beta, kBeta)));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.step, kStep)));
  TRY(convolve(pass, {.spec = spec.conv,
                      .weights = weights.conv,
                      .scratch = kQkv,
                      .matrix_floats = std::uint64_t{spec.values()} * spec.key_dim}));
  TRY(prepareDelta(pass, spec, weights, scratchColumns(pass, kQkv), scratchColumns(pass, kBeta),
                   scratchColumns(pass, kStep)));
  TRY(storeDecays(pass, {.x = scratchColumns(pass, kStep)}));
  TRY(scan(pass, {.rule = MatrixScan::Rule::kDelta,
                  .heads = spec.value_heads,
                  .columns = spec.value_dim,
                  .keys = spec.key_dim,
                  .key_group = spec.value_heads / spec.key_heads,
                  .q = scratchColumns(pass, kQkv),
                  .k = scratchColumns(pass, kQkv, spec.keys()),
                  .v = scratchColumns(pass, kQkv, 2 * spec.keys()),
                  .y = scratchColumns(pass, kFound),
                  .decay = scratchColumns(pass, kStep),
                  .beta = scratchColumns(pass, kBeta),
                  .erase = {},
                  .write = {},
                  .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(spec.key_dim)))}));
  TRY(headNorm(pass, {.kind = spec.norm.kind,
                      .epsilon = spec.norm.epsilon,
                      .gain = &weights.gain,
                      .groups = spec.value_heads,
                      .columns = spec.value_dim,
                      .x = scratchColumns(pass, kFound),
                      .y = scratchColumns(pass, kFound),
                      .gate_kind = HeadNorm::Gate::kSilu,
                      .gate = scratchColumns(pass, kGate),
                      .tops = {},
                      .bonus = {},
                      .values = {}}));
  return project(pass, weights.output, buffers_.scratch[kFound], buffers_.scratch_strides[kFound]);
}

Result<void> Forward::prepareDelta(const Pass& pass, const DeltaNetSpec& spec, const DeltaNetWeights& weights,
                                   const Columns& qkv, const Columns& beta, const Columns& step) {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/delta_prepare", kPlainSubgroups));
  const shader::DeltaPrepareParams params{
      .q = qkv.address(),
      .k = qkv.address() + std::uint64_t{spec.keys()} * sizeof(float),
      .beta = beta.address(),
      .step = step.address(),
      .rate = weights.rate.address(),
      .bias = weights.dt_bias.address(),
      .tokens = pass.tokens,
      .key_heads = spec.key_heads,
      .key_dim = spec.key_dim,
      .shared_by = spec.value_heads / spec.key_heads,
      .stride = qkv.stride,
      .beta_stride = beta.stride,
      .step_stride = step.stride,
      .epsilon = DeltaNetSpec::kUnitEpsilon,
  };
  pass.commands.dispatch(*kernel, {pass.tokens * spec.key_heads}, params,
                         {.reads = {}, .writes = {qkv.rows, beta.rows, step.rows}});
  return {};
}

}  // namespace vitrine::core
