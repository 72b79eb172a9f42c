// Records a mixture of experts: route, then gate and up of the chosen experts, then down and the weighted
// sum. Few tokens go straight to their experts; a batch is sorted by expert first, so that each expert's
// weights are read for several tokens at once. Nothing is read back, so that a decode step is recorded once.
#pragma once

#include <vector>

#include "core/engine/kernels.h"
#include "core/engine/mixer_memory.h"
#include "core/model/moe_weights.h"

namespace vitrine::core {

struct MoeCall {
  const MoeSpec* spec = nullptr;
  const MoeWeights* weights = nullptr;
  std::uint32_t tokens = 1;
  gpu::Slice x;  // (tokens, x_stride) f32, normalized unless there is a gain
  std::uint32_t x_stride = 0;
  const gpu::Buffer* norm_gain = nullptr;  // of an RMS norm of x, only where routesDirectly()
  float epsilon = 0;
  // MoeScratch; the logits, and the shared expert's output (x_stride) and gate if there are, are there.
  const std::vector<gpu::Buffer>* scratch = nullptr;
  const std::vector<std::uint32_t>* scratch_strides = nullptr;
  gpu::Slice y;  // (tokens, x_stride) f32: y = (add ? y : 0) + scale * output
  bool add = true;
  float scale = 1;
  // Where the choices are kept for views, from the position in the shader::StepState on; may be empty.
  gpu::Slice state = {}, routing = {};
};

// Few tokens go straight to their experts: where most experts have one token at most, there is nothing to
// share.
inline bool routesDirectly(const MoeSpec& spec, std::uint32_t tokens) {
  return tokens == 1 || tokens * spec.router.top_k <= spec.experts.size();
}

class MoeRecorder {
 public:
  MoeRecorder(gpu::Commands& commands, Kernels& kernels, const MoeCall& call)
      : commands_(commands), kernels_(kernels), call_(call) {}

  Result<void> record();

 private:
  Result<void> route();
  Result<void> sort();
  struct Product;
  Result<void> multiply(const Product& product);
  Result<void> downAndSum();
  Result<void> combine();

  std::uint32_t experts() const { return static_cast<std::uint32_t>(call_.spec->experts.size()); }
  std::uint32_t choices() const { return call_.tokens * call_.spec->router.top_k; }
  bool isSparse() const { return routesDirectly(*call_.spec, call_.tokens); }
  std::uint32_t embedding() const {
    return static_cast<std::uint32_t>(call_.weights->down.layout.rows / experts());
  }
  MatmulShape shape() const;
  gpu::Slice scratch(MoeScratch which) const;  // the part that the batch uses
  std::uint64_t sharedOut() const;             // addresses, 0 where there is none
  std::uint64_t sharedGate() const;
  std::vector<gpu::Slice> sharedReads() const;
  Result<std::vector<gpu::Bound>> bound(const Matrix& matrix, const gpu::Slice& x) const;

  gpu::Commands& commands_;
  Kernels& kernels_;
  const MoeCall& call_;
};

}  // namespace vitrine::core
