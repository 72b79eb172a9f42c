// Records a model's forward pass for a batch of tokens. Five stages a layer: norm + qkv + rope + cache |
// attention | output + residual | norm + gate and up + activation | down + residual; two more stages with QK
// norm.
#pragma once

#include "core/engine/kernels.h"
#include "core/engine/session_buffers.h"

namespace vitrine::core {

class Forward {
 public:
  Forward(const Model& model, const SessionOptions& options, const SessionBuffers& buffers, Kernels& kernels)
      : model_(model), options_(options), buffers_(buffers), kernels_(kernels) {}

  // x = embedding of `tokens` ids.
  Result<void> embed(gpu::Commands& commands, std::uint32_t tokens);
  // x through one block; `splits` workgroups share the keys of a head (1: none, only for a single token).
  Result<void> block(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens,
                     std::uint32_t splits);
  // logits = head(norm(x)) for `tokens` rows of x from `first_row` on, into `logits` (tokens, vocab_stride).
  Result<void> head(gpu::Commands& commands, std::uint32_t first_row, std::uint32_t tokens,
                    const gpu::Buffer& logits);
  // y = norm(x): the final norm alone, for traces.
  Result<void> finalNorm(gpu::Commands& commands, std::uint32_t tokens, gpu::Slice y);
  // The next id from buffers.logits, into ids[0], the ring and the state.
  Result<void> sample(gpu::Commands& commands);

 private:
  Result<void> qkv(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens);
  Result<void> scatter(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens);
  Result<void> attention(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens,
                         std::uint32_t splits);
  Result<void> mlp(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens);
  Result<void> addTo(gpu::Commands& commands, const Matrix& matrix, const gpu::Buffer& input,
                     std::uint32_t stride, std::uint32_t tokens);

  const Model& model_;
  const SessionOptions& options_;
  const SessionBuffers& buffers_;
  Kernels& kernels_;
};

}  // namespace vitrine::core
