#include "core/spectra/spectra_worker.h"

#include <sys/resource.h>

#include <algorithm>

#include "core/engine/clock.h"
#include "core/spectra/device_spectra.h"
#include "core/spectra/matrix_catalogue.h"

namespace vitrine::core {
namespace {

constexpr int kNiceness = 10;

// The window and the engine go first. Linux keeps a niceness a thread, and threads inherit their maker's.
void yieldToOthers() {
  (void)::setpriority(PRIO_PROCESS, 0, kNiceness);
}

}  // namespace

// The matrices of a checkpoint, on the device or by LAPACK, those that were computed before from the cache.
class SpectraWorker::StoredRun {
 public:
  StoredRun(SpectraWorker& worker, std::shared_ptr<Task> task, std::shared_ptr<const Checkpoint> checkpoint)
      : worker_(worker),
        task_(std::move(task)),
        checkpoint_(std::move(checkpoint)),
        matrices_(matricesOf(*checkpoint_, task_->glob)),
        cached_(matrices_.size(), 0),
        hashes_(matrices_.size()) {}

  void compute() {
    auto device = worker_.deviceSpectra();
    if (!device && device.error().code != ErrorCode::kUnsupported)
      return worker_.publish(*task_, {.state = SpectraState::kFailed, .error = device.error()});
    DeviceSpectra* const on_device = device ? *device : nullptr;
    SpectraProgress progress(
        rows(on_device), [this](SpectraSnapshot snapshot) { worker_.publish(*task_, std::move(snapshot)); });
    progress.start();
    const Result<void> ran = run(progress, on_device);
    worker_.cache_.trim();
    progress.finish(ran);
  }

 private:
  bool isPreviewed(std::size_t i) const {
    return worker_.options_.preview.wanted(matrices_[i].rows, matrices_[i].columns);
  }
  double previewCost(std::size_t i) const {
    return worker_.options_.preview.cost(matrices_[i].rows, matrices_[i].columns);
  }

  SpectraRows rows(const DeviceSpectra* device) {
    SpectraRows rows{.names = {},
                     .costs = {},
                     .solver = device ? device->text() : lapackSolverText(worker_.options_.threads)};
    for (std::size_t i = 0; i < matrices_.size(); ++i) {
      const StoredMatrix& matrix = matrices_[i];
      rows.names.push_back(
          {matrix.name, std::string(name(matrix.tensor->dtype)), matrix.rows, matrix.columns});
      rows.costs.push_back(job(i).cost() + (!device && isPreviewed(i) ? previewCost(i) : 0));
    }
    return rows;
  }

  SpectrumJob job(std::size_t i) {
    const StoredMatrix& matrix = matrices_[i];
    return {.rows = matrix.rows,
            .columns = matrix.columns,
            .load = [&matrix] { return readMatrix(matrix); },
            .known = [this, i] { return known(i); }};
  }

  // Looked for once.
  std::optional<Spectrum> known(std::size_t i) {
    if (worker_.options_.cache_folder.empty() || !hashes_[i].empty()) return std::nullopt;
    hashes_[i] = contentHash(matrices_[i]);
    auto found = worker_.cache_.find(hashes_[i], matrices_[i].rows, matrices_[i].columns);
    cached_[i] = found.has_value();
    return found;
  }

  Result<void> run(SpectraProgress& progress, DeviceSpectra* device) {
    std::vector<std::size_t> small, large;
    for (std::size_t i = 0; i < matrices_.size(); ++i)
      (!device && isPreviewed(i) ? large : small).push_back(i);
    TRY(exact(progress, small, device));
    if (large.empty()) return {};
    progress.flush();
    TRY(previews(progress, large));
    progress.flush();
    std::erase_if(large, [&](std::size_t i) { return cached_[i] != 0; });
    return exact(progress, large, nullptr);
  }

  Result<void> exact(SpectraProgress& progress, const std::vector<std::size_t>& chosen,
                     DeviceSpectra* device) {
    std::vector<SpectrumJob> jobs;
    for (const std::size_t i : chosen) jobs.push_back(job(i));
    const SpectrumRun run{.threads = worker_.options_.threads,
                          .order = task_->order,
                          .stop = task_->stop.get_token(),
                          .done = [&](std::size_t at, Result<Spectrum> spectrum) {
                            settle(progress, chosen[at], std::move(spectrum));
                          }};
    return device ? runSpectra(*device, jobs, run) : runSpectra(jobs, run);
  }

  // A spectrum that is known is settled at once. A matrix that has no preview is left to the exact run, which
  // says why.
  Result<void> previews(SpectraProgress& progress, const std::vector<std::size_t>& chosen) {
    const std::stop_token stop = task_->stop.get_token();
    return forRows(chosen, worker_.options_.threads, stop, [&](std::size_t i) {
      if (auto found = known(i)) return settle(progress, i, std::move(*found));
      const auto matrix = readMatrix(matrices_[i]);
      if (!matrix) return;
      if (auto preview = previewOf(*matrix, worker_.options_.preview.top, stop))
        progress.preview(i, std::make_shared<const SpectrumPreview>(std::move(*preview)), previewCost(i));
    });
  }

  // From several threads at once; what is read off the spectrum is theirs, too.
  void settle(SpectraProgress& progress, std::size_t i, Result<Spectrum> spectrum) {
    MatrixResult result;
    if (spectrum) {
      if (!cached_[i] && !hashes_[i].empty()) worker_.cache_.keep(hashes_[i], *spectrum);
      result.report = std::make_shared<const SpectrumReport>(
          reportOf(matrices_[i].name, progress.names()[i].dtype, std::move(*spectrum)));
    } else {
      result.error = std::make_shared<const std::string>(spectrum.error().describe());
    }
    progress.settle(i, std::move(result), cached_[i] != 0);
  }

  SpectraWorker& worker_;
  std::shared_ptr<Task> task_;
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::vector<StoredMatrix> matrices_;
  std::vector<char> cached_;  // of each matrix its own byte: threads write side by side
  std::vector<std::string> hashes_;
};

SpectraWorker::SpectraWorker(gpu::Device* device, std::function<void()> notify, SpectraWorkerOptions options)
    : device_(device),
      notify_(std::move(notify)),
      options_(std::move(options)),
      cache_(options_.cache_folder) {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

SpectraWorker::~SpectraWorker() {
  cancel();
  thread_.request_stop();
  thread_.join();
}

void SpectraWorker::start(std::filesystem::path model, std::string glob, SpectrumOrder order) {
  request({.open = [model = std::move(model)] { return Checkpoint::open(model); },
           .glob = std::move(glob),
           .order = order});
}

void SpectraWorker::start(std::shared_ptr<const Checkpoint> checkpoint, std::string glob,
                          SpectrumOrder order) {
  request({.open = [checkpoint = std::move(checkpoint)]() -> Result<std::shared_ptr<const Checkpoint>> {
             return checkpoint;
           },
           .glob = std::move(glob),
           .order = order});
}

void SpectraWorker::start(std::shared_ptr<SpectraSource> source) {
  request({.open = {}, .glob = {}, .source = std::move(source)});
}

void SpectraWorker::request(Task task) {
  {
    const std::lock_guard lock(mutex_);
    replace(SpectraState::kRunning, false);
    next_ = std::make_shared<Task>(std::move(task));
  }
  wake_.notify_one();
  notify_();
}

void SpectraWorker::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (published_->state != SpectraState::kRunning) return;
    replace(SpectraState::kCancelled, true);
  }
  notify_();
}

void SpectraWorker::clear() {
  {
    const std::lock_guard lock(mutex_);
    replace(SpectraState::kIdle, false);
  }
  notify_();
}

// Under the lock: stops what runs or waits, and says at once what will be.
void SpectraWorker::replace(SpectraState state, bool keep_results) {
  if (current_) current_->stop.request_stop();
  current_.reset();
  next_.reset();
  auto snapshot =
      keep_results ? std::make_shared<SpectraSnapshot>(*published_) : std::make_shared<SpectraSnapshot>();
  snapshot->state = state;
  snapshot->sequence = ++sequence_;
  published_ = std::move(snapshot);
}

std::shared_ptr<const SpectraSnapshot> SpectraWorker::snapshot() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void SpectraWorker::publish(const Task& task, SpectraSnapshot snapshot) {
  {
    const std::lock_guard lock(mutex_);
    if (current_.get() != &task) return;
    snapshot.sequence = ++sequence_;
    published_ = std::make_shared<const SpectraSnapshot>(std::move(snapshot));
  }
  notify_();
}

// Null where LAPACK is to compute.
Result<DeviceSpectra*> SpectraWorker::deviceSpectra() {
  using Solver = SpectraWorkerOptions::Solver;
  const bool wanted = device_ && (options_.solver == Solver::kDevice ||
                                  (options_.solver == Solver::kAuto && DeviceSpectra::isFaster(*device_)));
  if (!wanted) return nullptr;
  if (!device_spectra_) {
    TRY_ASSIGN(device_spectra_, DeviceSpectra::create(*device_));
  }
  return device_spectra_.get();
}

void SpectraWorker::work(const std::stop_token& stop) {
  yieldToOthers();
  while (true) {
    std::shared_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return next_ != nullptr; })) return;
      task = current_ = std::exchange(next_, nullptr);
    }
    task->source ? computeSource(*task) : computeStored(task);
  }
}

void SpectraWorker::computeStored(const std::shared_ptr<Task>& task) {
  auto checkpoint = task->open();
  if (checkpoint)
    StoredRun(*this, task, std::move(*checkpoint)).compute();
  else
    publish(*task, {.state = SpectraState::kFailed, .error = checkpoint.error()});
}

void SpectraWorker::computeSource(const Task& task) {
  auto rows = task.source->open();
  if (!rows) return publish(task, {.state = SpectraState::kFailed, .error = rows.error()});
  SpectraProgress progress(std::move(*rows),
                           [&](SpectraSnapshot snapshot) { publish(task, std::move(snapshot)); });
  progress.start();
  progress.finish(task.source->compute(task.stop.get_token(), [&](std::size_t row, MatrixResult result) {
    progress.settle(row, std::move(result));
  }));
}

}  // namespace vitrine::core
