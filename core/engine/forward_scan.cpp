#include "core/engine/forward_scan.h"

#include "mixers/head_norm.params.h"
#include "mixers/matrix_scan.params.h"

namespace vitrine::core {

Result<void> Forward::scan(const Pass& pass, const MatrixScan& call) {
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("mixers/matrix_scan", kPlainSubgroups,
                          {{0, call.keys}, {1, static_cast<std::uint32_t>(call.rule)}, {2, call.ones}}));
  const bool erases = call.rule == MatrixScan::Rule::kErase;
  const shader::MatrixScanParams params{
      .state = buffers_.state.address(),
      .q = call.q.address(),
      .k = call.k.address(),
      .v = call.v.address(),
      .y = call.y.address(),
      .decay = call.decay.address(),
      .beta = call.beta ? call.beta.address() : 0,
      .erase = erases ? call.erase.address() : 0,
      .write = erases ? call.write.address() : 0,
      .s = pass.state->address(),
      .tokens = pass.tokens,
      .heads = call.heads,
      .columns = call.columns,
      .key_group = call.key_group,
      .q_stride = call.q.stride,
      .k_stride = call.k.stride,
      .v_stride = call.v.stride,
      .y_stride = call.y.stride,
      .decay_stride = call.decay.stride,
      .erase_stride = call.erase.stride,
      .scale = call.scale,
  };
  gpu::Access access{.reads = {buffers_.state, call.q.rows, call.k.rows, call.v.rows, call.decay.rows},
                     .writes = {call.y.rows, *pass.state}};
  if (call.beta) access.reads.push_back(call.beta.rows);
  if (erases) access.reads.push_back(call.erase.rows);
  pass.commands.dispatch(*kernel, {call.heads * call.columns}, params, access);
  return {};
}

Result<void> Forward::headNorm(const Pass& pass, const HeadNorm& call) {
  const bool divides = bool(call.tops), bonus = bool(call.bonus);
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/head_norm", kPlainSubgroups,
                                                     {{0, call.kind == NormKind::kLayer},
                                                      {1, static_cast<std::uint32_t>(call.gate_kind)},
                                                      {2, divides},
                                                      {3, bonus}}));
  const Columns& extra = divides ? call.tops : call.bonus;
  const shader::HeadNormParams params{
      .x = call.x.address(),
      .y = call.y.address(),
      .gain = call.gain ? call.gain->address() : 0,
      .bias = call.bias ? call.bias->address() : 0,
      .gate = call.gate ? call.gate.address() : 0,
      .extra = extra ? extra.address() : 0,
      .values = bonus ? call.values.address() : 0,
      .tokens = pass.tokens,
      .groups = call.groups,
      .columns = call.columns,
      .x_group = call.columns + (divides ? 1 : 0),
      .x_stride = call.x.stride,
      .y_stride = call.y.stride,
      .gate_stride = call.gate.stride,
      .extra_stride = extra.stride,
      .value_stride = call.values.stride,
      .epsilon = call.epsilon,
      .least = call.least,
  };
  gpu::Access access{.reads = {call.x.rows}, .writes = {call.y.rows}};
  for (const Columns* read : {&call.gate, &extra, &call.values})
    if (*read) access.reads.push_back(read->rows);
  pass.commands.dispatch(*kernel, {pass.tokens * call.groups}, params, access);
  return {};
}

}  // namespace vitrine::core
