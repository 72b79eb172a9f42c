// What routers chose and what recurrent states hold, read from a session for views. Attention's part is in
// attention_views.h.
#pragma once

#include <memory>

#include "core/engine/kernels.h"
#include "core/engine/session.h"

namespace vitrine::core {

class MixerViews {
 public:
  static Result<std::unique_ptr<MixerViews>> create(gpu::Device& device);

  // Of all tokens; no layers where the model has no router. The session must have been made with probes.
  Result<RoutingPicture> routing(const Session& session);
  // After the newest token; no layers where the model carries no state. Decays of a session with probes.
  Result<StatePicture> states(const Session& session);

  double lastGpuMs() const { return gpu_ms_; }

 private:
  explicit MixerViews(gpu::Device& device) : device_(device), kernels_(device) {}
  Result<void> reserve(std::uint64_t bytes);
  Result<void> recordNorms(std::span<const StateRecord> records);
  Result<void> finish();

  gpu::Device& device_;
  Kernels kernels_;
  gpu::Commands commands_;
  gpu::Buffer norms_, host_;
  double gpu_ms_ = 0;
};

}  // namespace vitrine::core
