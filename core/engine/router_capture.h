// Copies what routers say out of a forward pass, layer by layer, before the next layer writes over it.
#pragma once

#include "core/engine/session.h"
#include "core/engine/session_buffers.h"
#include "gpu/commands.h"

namespace vitrine::core {

class RouterRecorder {
 public:
  // Room for `batch` tokens of each layer with a mixture of experts.
  static Result<RouterRecorder> create(const Model& model, const SessionBuffers& buffers,
                                       std::uint32_t batch);

  // After `layer` was recorded; layers without a router are left alone.
  void record(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens);
  // After the commands have run, with what record() was given.
  void read(std::uint32_t tokens, Capture& capture) const;

 private:
  struct Place {
    RouterCapture shape;                                // without values
    std::uint64_t logits = 0, chosen = 0, weights = 0;  // offsets in bytes
  };
  RouterRecorder(const SessionBuffers& buffers) : buffers_(&buffers) {}

  const SessionBuffers* buffers_;
  std::vector<Place> places_;
  gpu::Buffer captured_;
};

}  // namespace vitrine::core
