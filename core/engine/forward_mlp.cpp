// The dense channel mixer: norm + gate and up + activation, then down.
#include "core/engine/forward.h"

namespace vitrine::core {

Result<void> Forward::record(const Pass& pass, const DenseMlpSpec& spec, const MlpWeights& weights) {
  if (weights.gate_up) {
    MatmulCall call = product(pass, *weights.gate_up, buffers_.act, buffers_.act_stride);
    call.activation = spec.activation;
    call.epilogue = Epilogue::kGlu;
    TRY(kernels_.matmul(pass.commands, call));
  } else {
    MatmulCall call = product(pass, *weights.up, buffers_.act, buffers_.act_stride);
    call.activation = spec.activation;
    call.epilogue = weights.gate ? Epilogue::kGated : Epilogue::kActivate;
    if (weights.gate) {
      MatmulCall gate = product(pass, *weights.gate, buffers_.gate, buffers_.act_stride);
      gate.scale = spec.gate_scale;
      TRY(kernels_.matmul(pass.commands, gate));
      call.aux = buffers_.gate.address();
      call.access.reads.push_back(gate.y);
    }
    TRY(kernels_.matmul(pass.commands, call));
  }
  return project(pass, weights.down, buffers_.act, buffers_.act_stride);
}

}  // namespace vitrine::core
