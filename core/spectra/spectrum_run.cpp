#include "core/spectra/spectrum_run.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "core/spectra/lapack_spectrum.h"

namespace vitrine::core {
namespace {

double costOf(const SpectrumJob& job) {
  const double m = static_cast<double>(std::max(job.rows, job.columns));
  const double n = static_cast<double>(std::min(job.rows, job.columns));
  return m * n * n + 4.0 / 3 * n * n * n;
}

Result<Spectrum> compute(const SpectrumJob& job, SpectrumMethod method) {
  TRY_ASSIGN(const DenseMatrix matrix, job.load());
  return method == SpectrumMethod::kJacobi ? jacobiSpectrum(matrix) : lapackSpectrum(matrix);
}

}  // namespace

Result<void> runSpectra(std::span<const SpectrumJob> jobs, const SpectrumRun& run) {
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return costOf(jobs[i]); });
  const unsigned cores = run.threads > 0 ? run.threads : std::max(1u, std::thread::hardware_concurrency());
  const auto threads = static_cast<unsigned>(std::clamp<std::size_t>(jobs.size(), 1, cores));
  setBlasThreads(static_cast<int>(cores / threads));
  std::atomic<std::size_t> next = 0;
  std::mutex reporting;
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size() && !run.stop.stop_requested(); i = next++) {
      Result<Spectrum> spectrum = compute(jobs[order[i]], run.method);
      const std::lock_guard lock(reporting);
      run.done(order[i], std::move(spectrum));
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 1; i < threads; ++i) workers.emplace_back(work);
    work();
  }
  if (run.stop.stop_requested()) return fail(ErrorCode::kCancelled, "the spectra were cancelled");
  return {};
}

}  // namespace vitrine::core
