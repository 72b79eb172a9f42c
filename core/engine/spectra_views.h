// Singular values of what a session's sequence has left behind: of each kv head's keys and values, by running
// Gram matrices that take in what the cache got since the last picture, and of each layer's hidden states
// (hidden_stream.h). Of a layer with a sliding window the rows that the next token could see; of latent
// attention (DeepSeek) the one row of a token that the cache has, keys (rotary key, latent) and values the
// latent alone; a recurrent mixer has neither.
#pragma once

#include <memory>

#include "core/engine/session.h"
#include "core/spectra/device_spectra.h"
#include "core/spectra/metrics.h"

namespace vitrine::core {

class SpectraViews {
 public:
  // Who finds eigenvalues; LAPACK on software devices and those without double precision.
  enum class Solver { kSuitable, kDevice };
  // Errors for Solver::kDevice: DeviceSpectra::create's.
  static Result<std::unique_ptr<SpectraViews>> create(gpu::Device& device, Solver solver = Solver::kSuitable);
  ~SpectraViews();

  // The cache is read as it lies there, halves as halves. Activations need Session::followHidden(); without
  // it, and of an empty sequence, kInvalidArgument. NaN and infinities are told in `refused` of what they are
  // in.
  Result<SpectraPicture> spectra(const Session& session, const SpectraRequest& request);
  void forget();  // frees what was summed

  double lastGpuMs() const;  // of sums and eigenvalues; 0 where the host finds these

 private:
  SpectraViews();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::core
