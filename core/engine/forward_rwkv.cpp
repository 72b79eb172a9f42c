// RWKV: the token shift, the products of its blends, the scan, the output's product. The mixer's state holds
// the scan's sums or matrices first, then the last input.
#include "core/engine/forward_decays.h"
#include "core/engine/forward_scan.h"
#include "core/engine/mixer_memory.h"
#include "mixers/rwkv4_scan.params.h"
#include "mixers/rwkv7_prepare.params.h"
#include "mixers/sigmoid_gate.params.h"
#include "mixers/token_shift.params.h"
#include "mixers/value_residual.params.h"

namespace vitrine::core {
namespace {

// Scratch buffers of RWKV-7 behind the blends (0).
enum Rwkv7Buffer : std::size_t {
  kReceptance = 1,
  kKey,
  kValue,
  kDecay,
  kRate,
  kResidual,
  kGate,
  kDecayRank,
  kRateRank,
  kResidualRank,
  kGateRank,
  kBonus,
  kFirstValues
};
// Planes of buffer 0 once the products have read the blends.
enum Rwkv7Plane : std::uint32_t { kErase, kWrite, kOutput };

}  // namespace

Columns Forward::scratchColumns(const Pass& pass, std::size_t index, std::uint32_t first) const {
  return {scratchRows(pass, index), buffers_.scratch_strides[index], first};
}

Result<void> Forward::tokenShift(const Pass& pass, const gpu::Buffer& mix, std::uint32_t width,
                                 std::uint32_t mixes, std::uint64_t past) {
  VITRINE_ASSERT(!pass.in.gain);  // layer norms are computed beforehand
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/token_shift", kPlainSubgroups, {{0, mixes}}));
  const gpu::Slice to = scratchRows(pass, 0);
  const shader::TokenShiftParams params{
      .state = buffers_.state.address(),
      .x = pass.in.x.address(),
      .y = to.address(),
      .mix = mix.address(),
      .past = pass.state->address() + past * sizeof(float),
      .tokens = pass.tokens,
      .width = width,
      .plane = static_cast<std::uint32_t>(planeFloats(width)),
      .x_stride = buffers_.x_stride,
      .y_stride = buffers_.scratch_strides[0],
  };
  pass.commands.dispatch(*kernel, {gpu::divideUp(width, kernels_.lanes())}, params,
                         {.reads = {buffers_.state, pass.in.x}, .writes = {to, *pass.state}});
  return {};
}

MatmulCall Forward::shifted(const Pass& pass, const Matrix& matrix, std::uint32_t width, std::uint32_t plane,
                            std::size_t to) const {
  const gpu::Slice rows = scratchRows(pass, 0);
  const std::uint64_t offset = plane * planeFloats(width) * sizeof(float);
  return {.matrix = &matrix,
          .x = {*rows.buffer, rows.offset + offset, rows.bytes - offset},
          .x_stride = buffers_.scratch_strides[0],
          .y = scratchRows(pass, to),
          .y_stride = buffers_.scratch_strides[to],
          .tokens = pass.tokens};
}

Result<void> Forward::record(const Pass& pass, const Rwkv4Spec& spec, const Rwkv4Weights& weights) {
  TRY(tokenShift(pass, weights.mixes, spec.width, 3, 3 * std::uint64_t{spec.channels}));
  TRY(kernels_.matmul(pass.commands, shifted(pass, weights.key, spec.width, 0, 1)));
  TRY(kernels_.matmul(pass.commands, shifted(pass, weights.value, spec.width, 1, 2)));
  TRY(kernels_.matmul(pass.commands, shifted(pass, weights.receptance, spec.width, 2, 3)));
  TRY(storeDecays(pass, {.rule = DecayCall::Rule::kConstant, .rate = weights.decay.address()}));
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/rwkv4_scan", kPlainSubgroups));
  const gpu::Slice k = scratchRows(pass, 1), v = scratchRows(pass, 2), r = scratchRows(pass, 3);
  const shader::Rwkv4ScanParams params{
      .state = buffers_.state.address(),
      .k = k.address(),
      .v = v.address(),
      .r = r.address(),
      .decay = weights.decay.address(),
      .first = weights.first.address(),
      .sums = pass.state->address(),
      .tokens = pass.tokens,
      .channels = spec.channels,
      .k_stride = buffers_.scratch_strides[1],
      .v_stride = buffers_.scratch_strides[2],
      .r_stride = buffers_.scratch_strides[3],
  };
  pass.commands.dispatch(*kernel, {gpu::divideUp(spec.channels, kernels_.lanes())}, params,
                         {.reads = {buffers_.state, k, v}, .writes = {r, *pass.state}});
  return project(pass, weights.output, buffers_.scratch[3], buffers_.scratch_strides[3]);
}

// outer(f(inner(blend))): the function is the inner product's epilogue.
Result<void> Forward::lowRank(const Pass& pass, const LowRankCall& call) {
  MatmulCall inner = shifted(pass, call.weights.inner, call.width, call.plane, call.rank);
  inner.epilogue = call.epilogue;
  inner.activation = Activation::kSigmoid;
  inner.soft_cap = call.soft_cap;
  TRY(kernels_.matmul(pass.commands, inner));
  return kernels_.matmul(pass.commands, {.matrix = &call.weights.outer,
                                         .x = scratchRows(pass, call.rank),
                                         .x_stride = buffers_.scratch_strides[call.rank],
                                         .y = scratchRows(pass, call.to),
                                         .y_stride = buffers_.scratch_strides[call.to],
                                         .tokens = pass.tokens});
}

Result<void> Forward::record(const Pass& pass, const Rwkv7Spec& spec, const Rwkv7Weights& weights) {
  const std::uint32_t width = spec.width;
  TRY(tokenShift(pass, weights.mixes, width, 6, std::uint64_t{width} * spec.head_dim));
  TRY(kernels_.matmul(pass.commands, shifted(pass, weights.receptance, width, 0, kReceptance)));
  TRY(kernels_.matmul(pass.commands, shifted(pass, weights.key, width, 2, kKey)));
  TRY(kernels_.matmul(pass.commands, shifted(pass, weights.value, width, 3, kValue)));
  // tanh is the soft cap of 1.
  TRY(lowRank(pass, {weights.decay, width, 1, kDecayRank, kDecay, Epilogue::kStore, 1}));
  TRY(lowRank(pass, {weights.rate, width, 4, kRateRank, kRate}));
  TRY(lowRank(pass, {weights.gate, width, 5, kGateRank, kGate, Epilogue::kActivate}));
  if (weights.residual) TRY(lowRank(pass, {*weights.residual, width, 3, kResidualRank, kResidual}));
  TRY(valueResidual(pass, spec));
  TRY(prepareRwkv7(pass, spec, weights));
  TRY(storeDecays(pass, {.x = scratchColumns(pass, kDecay)}));
  const std::uint32_t plane = static_cast<std::uint32_t>(planeFloats(width));
  const Columns y = scratchColumns(pass, 0, kOutput * plane);
  TRY(scan(pass, {.rule = MatrixScan::Rule::kErase,
                  .heads = spec.heads,
                  .columns = spec.head_dim,
                  .keys = spec.head_dim,
                  .q = scratchColumns(pass, kReceptance),
                  .k = scratchColumns(pass, kKey),
                  .v = scratchColumns(pass, kValue),
                  .y = y,
                  .decay = scratchColumns(pass, kDecay),
                  .beta = {},
                  .erase = scratchColumns(pass, 0, kErase * plane),
                  .write = scratchColumns(pass, 0, kWrite * plane)}));
  TRY(headNorm(pass, {.kind = NormKind::kLayer,
                      .epsilon = spec.norm.epsilon,
                      .gain = &weights.gain,
                      .bias = &weights.bias,
                      .groups = spec.heads,
                      .columns = spec.head_dim,
                      .x = y,
                      .y = scratchColumns(pass, kReceptance),
                      .gate_kind = HeadNorm::Gate::kPlain,
                      .gate = scratchColumns(pass, kGate),
                      .tops = {},
                      .bonus = scratchColumns(pass, kBonus),
                      .values = scratchColumns(pass, kValue)}));
  return project(pass, weights.output, buffers_.scratch[kReceptance], buffers_.scratch_strides[kReceptance]);
}

Result<void> Forward::valueResidual(const Pass& pass, const Rwkv7Spec& spec) {
  const bool first = !spec.residual;
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/value_residual", kPlainSubgroups, {{0, first}}));
  const Columns v = scratchColumns(pass, kValue), kept = scratchColumns(pass, kFirstValues);
  const Columns residual = scratchColumns(pass, kResidual);
  const shader::ValueResidualParams params{
      .v = v.address(),
      .first = kept.address(),
      .residual = residual.address(),
      .tokens = pass.tokens,
      .width = spec.width,
      .v_stride = v.stride,
      .first_stride = kept.stride,
      .residual_stride = residual.stride,
  };
  gpu::Access access{.reads = {v.rows}, .writes = {kept.rows}};
  if (!first) access = {.reads = {kept.rows, residual.rows}, .writes = {v.rows}};
  pass.commands.dispatch(*kernel, {pass.tokens}, params, access);
  return {};
}

Result<void> Forward::prepareRwkv7(const Pass& pass, const Rwkv7Spec& spec, const Rwkv7Weights& weights) {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/rwkv7_prepare", kPlainSubgroups));
  const std::uint32_t plane = static_cast<std::uint32_t>(planeFloats(spec.width));
  const Columns r = scratchColumns(pass, kReceptance), k = scratchColumns(pass, kKey);
  const Columns w = scratchColumns(pass, kDecay), a = scratchColumns(pass, kRate);
  const Columns erase = scratchColumns(pass, 0, kErase * plane), extra = scratchColumns(pass, kBonus);
  const shader::Rwkv7PrepareParams params{
      .r = r.address(),
      .k = k.address(),
      .w = w.address(),
      .a = a.address(),
      .erase = erase.address(),
      .write = scratchColumns(pass, 0, kWrite * plane).address(),
      .extra = extra.address(),
      .key_scale = weights.key_scale.address(),
      .key_rate = weights.key_rate.address(),
      .bonus = weights.bonus.address(),
      .tokens = pass.tokens,
      .heads = spec.heads,
      .head_dim = spec.head_dim,
      .r_stride = r.stride,
      .k_stride = k.stride,
      .w_stride = w.stride,
      .a_stride = a.stride,
      .erase_stride = erase.stride,
      .extra_stride = extra.stride,
  };
  pass.commands.dispatch(*kernel, {pass.tokens * spec.heads}, params,
                         {.reads = {r.rows, a.rows}, .writes = {k.rows, w.rows, erase.rows, extra.rows}});
  return {};
}

Result<void> Forward::record(const Pass& pass, const RwkvChannelSpec& spec,
                             const RwkvChannelWeights& weights) {
  const auto mixes = static_cast<std::uint32_t>(spec.mixes.size());
  TRY(tokenShift(pass, weights.mixes, spec.width, mixes, 0));
  MatmulCall key = shifted(pass, weights.key, spec.width, 0, 0);
  key.y = rowsOf(buffers_.act, 0, pass.tokens, buffers_.act_stride);
  key.y_stride = buffers_.act_stride;
  key.epilogue = Epilogue::kActivate;
  key.activation = Activation::kReluSquared;
  TRY(kernels_.matmul(pass.commands, key));
  if (!weights.receptance) return project(pass, weights.value, buffers_.act, buffers_.act_stride);
  TRY(kernels_.matmul(pass.commands, shifted(pass, *weights.receptance, spec.width, 1, 1)));
  const Columns gate = scratchColumns(pass, 1), value = scratchColumns(pass, 2);
  TRY(kernels_.matmul(pass.commands, {.matrix = &weights.value,
                                      .x = key.y,
                                      .x_stride = buffers_.act_stride,
                                      .y = value.rows,
                                      .y_stride = value.stride,
                                      .tokens = pass.tokens}));
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("mixers/sigmoid_gate", kPlainSubgroups, {{0, pass.out.add}}));
  const gpu::Slice to = rowsOf(*pass.out.to, 0, pass.tokens, buffers_.x_stride);
  const shader::SigmoidGateParams params{
      .gate = gate.address(),
      .x = value.address(),
      .y = to.address(),
      .tokens = pass.tokens,
      .columns = spec.width,
      .gate_stride = gate.stride,
      .x_stride = value.stride,
      .y_stride = buffers_.x_stride,
      .scale = pass.out.scale,
  };
  pass.commands.dispatch(*kernel, {pass.tokens}, params, {.reads = {gate.rows, value.rows}, .writes = {to}});
  return {};
}

}  // namespace vitrine::core
