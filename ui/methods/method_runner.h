// Runs methods of family analysis on a thread of its own and keeps each one's last result.
#pragma once

#include "core/methods/analysis_source.h"

#include <QObject>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <thread>

namespace vitrine::ui {

struct MethodRun {
  core::methods::AnalysisSource source;
  core::methods::Parameters parameters;
  core::methods::AnalysisResult result;
};

class MethodRunner : public QObject {
  Q_OBJECT

 public:
  explicit MethodRunner(QObject* parent = nullptr) : QObject(parent) {}
  ~MethodRunner() override;  // cancels, and waits for the matrix in hand

  // A device of a run's own: that of the window belongs to the engine's thread. Called on a run's thread.
  using OpenDevice = std::function<Result<std::shared_ptr<gpu::Device>>()>;
  void setOpenDevice(OpenDevice open_device) { open_device_ = std::move(open_device); }

  // False while another run has not ended, a cancelled one included.
  bool start(const core::methods::Analysis& analysis, core::methods::AnalysisSource source,
             core::methods::Parameters parameters);
  void cancel();  // returns at once; finished() follows
  bool isRunning() const { return running_ != nullptr; }
  bool isCancelling() const { return isRunning() && stop_.stop_requested(); }
  const core::methods::Analysis* running() const { return running_; }
  // The last run that succeeded; null: none has.
  const MethodRun* lastOf(const core::methods::Analysis& analysis) const;

 signals:
  void progressed(qulonglong done, qulonglong of);
  // Empty: it succeeded, or was cancelled.
  void finished(const vitrine::core::methods::Analysis* analysis, const QString& error);

 private:
  void post(std::size_t done, std::size_t of);  // from the run's threads
  void finish(MethodRun run, std::optional<Error> error);

  std::map<const core::methods::Analysis*, MethodRun> runs_;
  OpenDevice open_device_;
  const core::methods::Analysis* running_ = nullptr;
  std::stop_source stop_;
  std::atomic<std::size_t> done_ = 0, of_ = 0;
  std::atomic<bool> posted_ = false;  // one event at a time, however many parts there are
  std::thread thread_;
};

}  // namespace vitrine::ui
