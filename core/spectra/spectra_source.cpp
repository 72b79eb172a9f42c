#include "core/spectra/spectra_source.h"

#include <algorithm>

#include "core/spectra/parallel.h"

namespace vitrine::core {
namespace {

constexpr double kPublishSeconds = 0.1;

}  // namespace

std::string lapackSolverText(unsigned threads) {
  const unsigned cores = threadsFor(threads);
  return fmt::format("LAPACK on {} core{}", cores, cores == 1 ? "" : "s");
}

std::size_t SpectraSnapshot::previews() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(results, [](const MatrixResult& result) { return result.preview != nullptr; }));
}

SpectraProgress::SpectraProgress(SpectraRows rows, Publish publish)
    : publish_(std::move(publish)), costs_(std::move(rows.costs)) {
  snapshot_.state = SpectraState::kRunning;
  snapshot_.solver = std::move(rows.solver);
  snapshot_.left_out = std::move(rows.left_out);
  snapshot_.results.resize(rows.names.size());
  snapshot_.matrices = std::make_shared<const std::vector<MatrixName>>(std::move(rows.names));
  for (const double cost : costs_) cost_left_ += cost;
}

void SpectraProgress::start() {
  publish_(snapshot_);
}

void SpectraProgress::settle(std::size_t row, MatrixResult result, bool cached) {
  const std::lock_guard lock(mutex_);
  ++snapshot_.done;
  snapshot_.failed += result.error != nullptr;
  snapshot_.cached += cached;
  snapshot_.results[row] = std::move(result);
  cost_left_ -= costs_[row];
  if (!cached) cost_done_ += costs_[row];
  tellSoon();
}

void SpectraProgress::preview(std::size_t row, std::shared_ptr<const SpectrumPreview> preview, double cost) {
  const std::lock_guard lock(mutex_);
  snapshot_.results[row].preview = std::move(preview);
  costs_[row] -= cost;
  cost_left_ -= cost;
  cost_done_ += cost;
  tellSoon();
}

void SpectraProgress::flush() {
  const std::lock_guard lock(mutex_);
  tell(secondsSince(start_));
}

void SpectraProgress::tellSoon() {
  if (const double now = secondsSince(start_); now - told_ >= kPublishSeconds) tell(now);
}

void SpectraProgress::tell(double now) {
  told_ = now;
  snapshot_.seconds = now;
  snapshot_.seconds_left = cost_done_ > 0 ? now * std::max(0.0, cost_left_) / cost_done_ : -1;
  publish_(snapshot_);
}

void SpectraProgress::finish(const Result<void>& ran) {
  const bool cancelled = !ran && ran.error().code == ErrorCode::kCancelled;
  snapshot_.state = ran ? SpectraState::kDone : cancelled ? SpectraState::kCancelled : SpectraState::kFailed;
  if (!ran && !cancelled) snapshot_.error = ran.error();
  tell(secondsSince(start_));
}

Result<void> forRows(const std::vector<std::size_t>& rows, unsigned threads, const std::stop_token& stop,
                     const std::function<void(std::size_t row)>& work) {
  return runParallel(rows.size(), threads, stop, [&](std::size_t i) { work(rows[i]); });
}

}  // namespace vitrine::core
