// The spectra of many matrices: on the CPU one thread a matrix, as many at once as there are cores; on a
// device those of one shape together, while the next ones are read.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>

#include "core/spectra/dense_matrix.h"
#include "core/spectra/spectrum.h"

namespace vitrine::core {

class DeviceSpectra;

struct SpectrumJob {
  std::uint64_t rows = 0, columns = 0;
  std::function<Result<DenseMatrix>()> load;  // called on the thread that then computes
  // Asked before that, where it is set: a spectrum that need not be computed.
  std::function<std::optional<Spectrum>()> known = {};

  // About the arithmetic of it: what the order goes by, and what a run's rest will take.
  double cost() const;
};

// The dearest first ends soonest on several cores, the cheapest first soon has much to show.
enum class SpectrumOrder { kDearestFirst, kCheapestFirst, kAsGiven };

enum class SpectrumMethod { kGram, kJacobi };  // lapackSpectrum, jacobiSpectrum

struct SpectrumRun {
  SpectrumMethod method = SpectrumMethod::kGram;  // on the CPU
  unsigned threads = 0;                           // 0: as many as there are cores
  SpectrumOrder order = SpectrumOrder::kDearestFirst;
  std::stop_token stop{};  // looked at between matrices, and within large ones
  // Of job `index`, as they finish; called from several threads at once.
  std::function<void(std::size_t index, Result<Spectrum>)> done;
};

// Returns when all jobs are done or the run was stopped: kCancelled.
Result<void> runSpectra(std::span<const SpectrumJob> jobs, const SpectrumRun& run);
Result<void> runSpectra(DeviceSpectra& device, std::span<const SpectrumJob> jobs, const SpectrumRun& run);

}  // namespace vitrine::core
