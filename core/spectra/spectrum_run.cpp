#include "core/spectra/spectrum_run.h"

#include <algorithm>
#include <future>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include "core/spectra/device_spectra.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/parallel.h"

namespace vitrine::core {
namespace {

std::vector<std::size_t> orderOf(std::span<const SpectrumJob> jobs, SpectrumOrder wanted) {
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (wanted == SpectrumOrder::kDearestFirst)
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return jobs[i].cost(); });
  else if (wanted == SpectrumOrder::kCheapestFirst)
    std::ranges::stable_sort(order, std::less<>(), [&](std::size_t i) { return jobs[i].cost(); });
  return order;
}

Result<Spectrum> compute(const SpectrumJob& job, const SpectrumRun& run) {
  if (auto known = job.known ? job.known() : std::nullopt) return *std::move(known);
  TRY_ASSIGN(const DenseMatrix matrix, job.load());
  return run.method == SpectrumMethod::kJacobi ? jacobiSpectrum(matrix) : lapackSpectrum(matrix, run.stop);
}

}  // namespace

double SpectrumJob::cost() const {
  const double m = static_cast<double>(std::max(rows, columns));
  const double n = static_cast<double>(std::min(rows, columns));
  return m * n * n + 4.0 / 3 * n * n * n;
}

Result<void> runSpectra(std::span<const SpectrumJob> jobs, const SpectrumRun& run) {
  const std::vector<std::size_t> order = orderOf(jobs, run.order);
  return runParallel(order.size(), run.threads, run.stop, [&](std::size_t i) {
    auto spectrum = compute(jobs[order[i]], run);
    if (spectrum || spectrum.error().code != ErrorCode::kCancelled) run.done(order[i], std::move(spectrum));
  });
}

namespace {

// Jobs of one shape, as many at a time as keep the device busy and fit.
std::vector<std::vector<std::size_t>> batches(std::span<const SpectrumJob> jobs, SpectrumOrder order) {
  constexpr std::uint64_t kMostBytes = 3ull << 30;
  constexpr std::size_t kMostMatrices = 64;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> open;  // a shape's newest batch
  std::vector<std::vector<std::size_t>> all;
  for (const std::size_t i : orderOf(jobs, order)) {
    const std::pair shape{jobs[i].rows, jobs[i].columns};
    const std::size_t most = std::clamp<std::size_t>(
        kMostBytes / std::max<std::uint64_t>(1, DeviceSpectra::bytesOf(shape.first, shape.second)), 1,
        kMostMatrices);
    const auto found = open.find(shape);
    if (found == open.end() || all[found->second].size() == most) {
      open[shape] = all.size();
      all.emplace_back();
    }
    all[open[shape]].push_back(i);
  }
  return all;
}

struct LoadedBatch {
  std::vector<std::size_t> jobs;
  std::vector<DenseMatrix> matrices;
  std::vector<std::pair<std::size_t, Result<Spectrum>>> settled;  // known, or not readable
};

LoadedBatch load(std::span<const SpectrumJob> jobs, const std::vector<std::size_t>& batch, unsigned threads) {
  std::vector<std::optional<Result<DenseMatrix>>> loaded(batch.size());
  std::vector<std::optional<Spectrum>> known(batch.size());
  (void)runParallel(batch.size(), threads, {}, [&](std::size_t at) {
    const SpectrumJob& job = jobs[batch[at]];
    if (job.known) known[at] = job.known();
    if (!known[at]) loaded[at] = job.load();
  });
  LoadedBatch result;
  for (std::size_t at = 0; at < batch.size(); ++at) {
    if (known[at]) {
      result.settled.emplace_back(batch[at], *std::move(known[at]));
    } else if (!*loaded[at]) {
      result.settled.emplace_back(batch[at], tl::unexpected(loaded[at]->error()));
    } else {
      result.jobs.push_back(batch[at]);
      result.matrices.push_back(std::move(**loaded[at]));
    }
  }
  return result;
}

}  // namespace

Result<void> runSpectra(DeviceSpectra& device, std::span<const SpectrumJob> jobs, const SpectrumRun& run) {
  const auto all = batches(jobs, run.order);
  const auto read = [&](std::size_t i) {
    return std::async(std::launch::async, [&, i] { return load(jobs, all[i], run.threads); });
  };
  const auto report = [&](LoadedBatch batch, Result<std::vector<Spectrum>> spectra) {
    for (auto& [job, spectrum] : batch.settled) run.done(job, std::move(spectrum));
    (void)runParallel(batch.jobs.size(), run.threads, {}, [&](std::size_t k) {
      run.done(batch.jobs[k],
               spectra ? Result<Spectrum>(std::move((*spectra)[k])) : tl::unexpected(spectra.error()));
    });
  };
  std::future<LoadedBatch> next = all.empty() ? std::future<LoadedBatch>() : read(0);
  std::future<void> reporting;
  for (std::size_t i = 0; i < all.size() && !run.stop.stop_requested(); ++i) {
    LoadedBatch batch = next.get();
    if (i + 1 < all.size()) next = read(i + 1);
    auto spectra =
        batch.matrices.empty() ? Result<std::vector<Spectrum>>() : device.spectraOf(batch.matrices, run.stop);
    if (!spectra && spectra.error().code == ErrorCode::kCancelled) break;
    if (reporting.valid()) reporting.get();
    batch.matrices.clear();
    reporting = std::async(std::launch::async, report, std::move(batch), std::move(spectra));
  }
  if (reporting.valid()) reporting.get();
  if (run.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled");
  return {};
}

}  // namespace vitrine::core
