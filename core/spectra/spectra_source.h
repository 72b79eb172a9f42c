// What SpectraWorker publishes, and what it can be given to compute in place of a checkpoint's matrices.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/clock.h"
#include "core/spectra/spectrum_preview.h"
#include "core/spectra/spectrum_report.h"
#include "gpu/error.h"

namespace vitrine::core {

struct ComparedMatrix;  // comparison_source.h

// Which head a product is of, and what its factors were made with: a label and a sentence each, of its layer.
struct ProductOrigin {
  std::uint32_t layer = 0, head = 0, kv_head = 0, rank = 0;
  std::shared_ptr<const std::vector<std::pair<std::string, std::string>>> folded;
};

struct MatrixName {
  std::string name, dtype;  // "blk.3.attn_q.weight", "Q4_1"; no type of what no file has
  std::uint64_t rows = 0, columns = 0;
  std::optional<ProductOrigin> product = {};
};

// Of one matrix: at most one of the first two, and until then perhaps a preview.
struct MatrixResult {
  std::shared_ptr<const SpectrumReport> report;
  std::shared_ptr<const std::string> error;  // why there is none: NaN at a place, no memory
  // Of a fine-tune's matrix beside its base's; `report` is then the fine-tune's.
  std::shared_ptr<const ComparedMatrix> compared = {};
  // Provisional: the largest values, where all of them take long. Gone once the row is settled.
  std::shared_ptr<const SpectrumPreview> preview = {};
  bool settled() const { return report || error; }
};

enum class SpectraState { kIdle, kRunning, kDone, kCancelled, kFailed };

struct SpectraSnapshot {
  std::uint64_t sequence = 0;  // grows with each one that is published
  SpectraState state = SpectraState::kIdle;
  std::optional<Error> error;  // kFailed: the model could not be opened, the device was lost
  std::string solver;          // what runs: "LAPACK on 2 cores", or the device's name; empty until known
  // Of the checkpoint, in natural order, the same pointer for a whole run; `results` has as many.
  std::shared_ptr<const std::vector<MatrixName>> matrices;
  std::vector<MatrixResult> results;
  std::vector<std::string> left_out = {};        // a sentence for each thing that has no row, and why
  std::size_t done = 0, failed = 0, cached = 0;  // `done` counts the others too
  double seconds = 0;                            // since the start
  double seconds_left = -1;                      // of the rest, by its arithmetic; below 0: not known yet

  std::size_t previews() const;  // rows that have no more than a preview
  std::size_t total() const { return matrices ? matrices->size() : 0; }
  double matricesPerSecond() const { return seconds > 0 ? static_cast<double>(done) / seconds : 0; }
};

// The rows that a run will have; on the worker's thread.
struct SpectraRows {
  std::vector<MatrixName> names;
  std::vector<double> costs;  // about the arithmetic of each
  std::vector<std::string> left_out = {};
  std::string solver;
};

class SpectraSource {
 public:
  // Of row `row`, as they are found; may be called from several threads at once.
  using Settle = std::function<void(std::size_t row, MatrixResult result)>;

  virtual ~SpectraSource() = default;
  virtual Result<SpectraRows> open() = 0;
  // Of what open() has found. kCancelled when stopped; a row's error is its result.
  virtual Result<void> compute(const std::stop_token& stop, const Settle& settle) = 0;
};

// Counts the rows of a run as they are found and tells of them about ten times a second.
class SpectraProgress {
 public:
  using Publish = std::function<void(SpectraSnapshot)>;
  SpectraProgress(SpectraRows rows, Publish publish);

  const std::vector<MatrixName>& names() const { return *snapshot_.matrices; }
  void start();  // tells the rows
  // From several threads at once.
  void settle(std::size_t row, MatrixResult result, bool cached = false);
  // Shown until settle(); `cost` is its part of the row's.
  void preview(std::size_t row, std::shared_ptr<const SpectrumPreview> preview, double cost);
  void flush();  // tells what has been found, also where something was told just now
  void finish(const Result<void>& ran);

 private:
  void tellSoon();
  void tell(double now);

  Publish publish_;
  std::vector<double> costs_;
  std::mutex mutex_;  // of what follows
  SpectraSnapshot snapshot_;
  double cost_done_ = 0, cost_left_ = 0, told_ = -1;
  Clock::time_point start_ = Clock::now();
};

// "LAPACK on 2 cores"; 0: all.
std::string lapackSolverText(unsigned threads);

// Calls `work` for all of `rows` in their order, on as many threads as there are cores or `threads`;
// kCancelled when stopped, between rows.
Result<void> forRows(const std::vector<std::size_t>& rows, unsigned threads, const std::stop_token& stop,
                     const std::function<void(std::size_t row)>& work);

}  // namespace vitrine::core
