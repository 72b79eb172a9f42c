// The mixture of experts: router and shared expert by the dense products, the rest by MoeRecorder.
#include "core/engine/forward.h"
#include "core/engine/moe.h"

namespace vitrine::core {

Result<void> Forward::record(const Pass& pass, const MoeSpec& spec, const MoeWeights& weights) {
  const std::vector<gpu::Buffer>& scratch = buffers_.scratch;
  const std::vector<std::uint32_t>& strides = buffers_.scratch_strides;
  TRY(kernels_.matmul(pass.commands,
                      product(pass, weights.router, scratch[kMoeLogits], strides[kMoeLogits])));
  if (spec.shared) {
    Pass shared = pass;
    shared.out = {.to = &scratch[kMoeShared], .add = false};
    TRY(record(shared, *spec.shared, *weights.shared));
  }
  if (spec.shared_gate)
    TRY(kernels_.matmul(pass.commands, product(pass, *weights.shared_gate, scratch[kMoeSharedGate],
                                               strides[kMoeSharedGate])));
  const gpu::Buffer& routing = buffers_.layers[pass.layer].routing;
  const MoeCall call{.spec = &spec,
                     .weights = &weights,
                     .tokens = pass.tokens,
                     .x = pass.in.x,
                     .x_stride = buffers_.x_stride,
                     .norm_gain = pass.in.gain,
                     .epsilon = pass.in.epsilon,
                     .scratch = &scratch,
                     .scratch_strides = &strides,
                     .y = rowsOf(*pass.out.to, 0, pass.tokens, buffers_.x_stride),
                     .add = pass.out.add,
                     .scale = pass.out.scale,
                     .state = buffers_.state,
                     .routing = routing ? gpu::Slice(routing) : gpu::Slice()};
  return MoeRecorder(pass.commands, kernels_, call).record();
}

}  // namespace vitrine::core
