// The spectra of many matrices: one thread a matrix, as many at once as the machine has cores.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>

#include "core/spectra/dense_matrix.h"
#include "core/spectra/spectrum.h"

namespace vitrine::core {

struct SpectrumJob {
  std::uint64_t rows = 0, columns = 0;
  std::function<Result<DenseMatrix>()> load;  // called on the thread that then computes
};

enum class SpectrumMethod { kGram, kJacobi };  // lapackSpectrum, jacobiSpectrum

struct SpectrumRun {
  SpectrumMethod method = SpectrumMethod::kGram;
  unsigned threads = 0;    // 0: as many as there are cores
  std::stop_token stop{};  // looked at between matrices
  // Of job `index`, in the order in which they finish, one call at a time.
  std::function<void(std::size_t index, Result<Spectrum>)> done;
};

// Returns when all jobs are done or the run was stopped; the dearest matrices come first, so that the last
// ones are small. kCancelled when it was stopped.
Result<void> runSpectra(std::span<const SpectrumJob> jobs, const SpectrumRun& run);

}  // namespace vitrine::core
