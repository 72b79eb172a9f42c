// The spectra of a whole model, or of what a SpectraSource finds in it, computed beside whatever else runs: a
// thread of its own (of low priority, as are those that it starts) takes the newest request, and what it
// finds comes as immutable snapshots. On the CPU the small matrices of a checkpoint come first, then previews
// of the large ones, then their spectra, which alone are cached.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/spectra/spectra_source.h"
#include "core/spectra/spectrum_cache.h"
#include "core/spectra/spectrum_preview.h"
#include "core/spectra/spectrum_run.h"
#include "gpu/device.h"

namespace vitrine::core {

class DeviceSpectra;

struct SpectraWorkerOptions {
  enum class Solver { kAuto, kLapack, kDevice };  // kAuto: on a GPU the device
  Solver solver = Solver::kAuto;
  unsigned threads = 0;                     // of the CPU; 0: all
  std::filesystem::path cache_folder = {};  // empty: nothing is kept on disk
  // Of a checkpoint's matrices, by LAPACK: on a device all values take less than the largest ones here.
  PreviewOptions preview = {};
};

class SpectraWorker {
 public:
  // `device` (may be null: LAPACK) outlives the worker. `notify` is called on the worker's threads after a
  // publication, about ten times a second at most, and must only wake somebody up.
  SpectraWorker(gpu::Device* device, std::function<void()> notify, SpectraWorkerOptions options = {});
  // Cancels and joins: the matrices in hand are finished first.
  ~SpectraWorker();

  // Returns at once and replaces what runs. `glob` as in matricesOf().
  void start(std::filesystem::path model, std::string glob = "",
             SpectrumOrder order = SpectrumOrder::kCheapestFirst);
  void start(std::shared_ptr<const Checkpoint> checkpoint, std::string glob = "",
             SpectrumOrder order = SpectrumOrder::kCheapestFirst);
  void start(std::shared_ptr<SpectraSource> source);
  // At once; what has been found stays in the snapshot.
  void cancel();
  // Forgets the model, as before the first start().
  void clear();

  std::shared_ptr<const SpectraSnapshot> snapshot() const;  // never null

 private:
  struct Task {
    std::function<Result<std::shared_ptr<const Checkpoint>>()> open;
    std::string glob;
    SpectrumOrder order = SpectrumOrder::kCheapestFirst;
    std::shared_ptr<SpectraSource> source = {};  // in place of the matrices of a checkpoint
    std::stop_source stop = {};
  };
  class StoredRun;

  void request(Task task);
  void replace(SpectraState state, bool keep_results);
  void work(const std::stop_token& stop);
  void computeStored(const std::shared_ptr<Task>& task);
  void computeSource(const Task& task);
  // Only of the newest task: another's are dropped.
  void publish(const Task& task, SpectraSnapshot snapshot);
  Result<DeviceSpectra*> deviceSpectra();

  gpu::Device* device_;
  std::function<void()> notify_;
  SpectraWorkerOptions options_;
  SpectrumCache cache_;
  std::unique_ptr<DeviceSpectra> device_spectra_;  // the thread's

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::shared_ptr<Task> next_, current_;
  std::shared_ptr<const SpectraSnapshot> published_ = std::make_shared<const SpectraSnapshot>();
  std::uint64_t sequence_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace vitrine::core
