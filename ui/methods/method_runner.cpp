#include "ui/methods/method_runner.h"

#include <utility>

namespace vitrine::ui {

MethodRunner::~MethodRunner() {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool MethodRunner::start(const core::methods::Analysis& analysis, core::methods::AnalysisSource source,
                         core::methods::Parameters parameters) {
  if (running_) return false;
  running_ = &analysis;
  stop_ = {};
  MethodRun run{std::move(source), std::move(parameters), {}};
  thread_ = std::thread([this, &analysis, run = std::move(run), open_device = open_device_,
                         stop = stop_.get_token()]() mutable {
    auto result = [&]() -> Result<core::methods::AnalysisResult> {
      TRY_ASSIGN(core::methods::AnalysisInput input, core::methods::analysisInput(analysis, run.source));
      input.parameters = run.parameters;
      input.stop = stop;
      input.open_device = std::move(open_device);
      input.progress = [this](std::size_t done, std::size_t of) { post(done, of); };
      return core::methods::runAnalysis(analysis, input);
    }();
    std::optional<Error> error;
    if (result)
      run.result = std::move(*result);
    else
      error = result.error();
    QMetaObject::invokeMethod(
        this, [this, run = std::move(run), error = std::move(error)] { finish(run, error); },
        Qt::QueuedConnection);
  });
  return true;
}

void MethodRunner::cancel() {
  if (running_) stop_.request_stop();
}

const MethodRun* MethodRunner::lastOf(const core::methods::Analysis& analysis) const {
  const auto found = runs_.find(&analysis);
  return found == runs_.end() ? nullptr : &found->second;
}

void MethodRunner::post(std::size_t done, std::size_t of) {
  done_ = done;
  of_ = of;
  if (posted_.exchange(true)) return;
  QMetaObject::invokeMethod(
      this,
      [this] {
        posted_ = false;
        if (running_) emit progressed(done_, of_);
      },
      Qt::QueuedConnection);
}

void MethodRunner::finish(MethodRun run, std::optional<Error> error) {
  thread_.join();
  const bool cancelled = stop_.stop_requested();
  const core::methods::Analysis* analysis = std::exchange(running_, nullptr);
  if (!error && !cancelled) runs_[analysis] = std::move(run);
  emit finished(analysis, error && !cancelled ? QString::fromStdString(error->describe()) : QString());
}

}  // namespace vitrine::ui
