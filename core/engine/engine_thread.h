// The engine's thread: requests, then a slice of generation, then the pictures, then a snapshot; and again.
// engine_thread.cpp is the thread, engine_thread_sequence.cpp what it does with the model and the sequence.
#pragma once

#include <atomic>
#include <thread>

#include "core/engine/clock.h"
#include "core/engine/engine.h"
#include "core/engine/request_queue.h"
#include "core/engine/session.h"
#include "core/engine/view_refresher.h"

namespace vitrine::core {

struct Generation {
  std::uint32_t remaining = 0, done = 0;
  SamplingSettings sampling;
  double tokens_per_s_limit = 0;
  std::stop_token stop;
  Clock::time_point start = Clock::now();
  std::uint32_t slice = 1;
};

class EngineThread final : public Engine {
 public:
  EngineThread(gpu::Device& device, std::function<void()> on_snapshot);
  ~EngineThread() override;

  std::shared_ptr<const Snapshot> snapshot() const override { return snapshot_.load(); }
  void loadModel(std::filesystem::path path, LoadOptions options) override;
  void cancelLoad() override { (void)renew(load_stop_); }
  void unloadModel() override;
  void setPrompt(std::string prompt) override;
  void generate(GenerateRequest request) override;
  void continueGeneration(std::uint32_t max_tokens, SamplingSettings sampling) override;
  void step(SamplingSettings sampling) override { continueGeneration(1, sampling); }
  void stop() override;
  void truncate(std::uint32_t tokens) override;
  void clearError() override;
  void setAdapterScale(std::uint32_t adapter, float scale) override;
  void setProbes(ProbeRequest request) override;
  void readMap(std::uint32_t layer, std::uint32_t head, MatrixCallback callback) override;

 private:
  // Stops what reads or generates, also what was asked for and has not started. Loading goes on: a prompt
  // that arrives meanwhile waits for the model.
  void interrupt();
  // Stops the newest operation of the source; the token is for the next.
  std::stop_token renew(std::stop_source& source);
  // For an operation that stops no other.
  std::stop_token currentStop();

  // What follows is of the engine's thread alone.
  void run();
  bool attempt(const Result<void>& result);
  void settle();
  void progress(EngineState state, std::string activity, std::uint64_t done, std::uint64_t total);
  void refreshViews();
  void updateTokens();
  void publish();

  Result<void> load(const std::filesystem::path& path, LoadOptions options, const std::stop_token& stop);
  void unload();
  // The cache keeps what the new prompt shares with the old sequence.
  Result<void> readPrompt(const std::string& prompt, const std::stop_token& stop);
  Result<void> changeAdapter(std::uint32_t adapter, float scale, const std::stop_token& stop);
  void showAdapterScales();
  void begin(std::uint32_t max_tokens, const SamplingSettings& sampling, double limit,
             const std::stop_token& stop);
  void end(StopReason reason);
  Result<void> generateSlice();
  // What only the views need must not end what is being generated.
  bool attemptForViews(const Result<void>& result);
  // Hidden states are kept while somebody looks at their spectra.
  void followHidden();
  // Those of tokens that were read before anybody looked: they are read once more when nothing else is to do.
  void catchUp();
  void sequenceChanged();

  gpu::Device& device_;
  std::function<void()> on_snapshot_;
  std::atomic<std::shared_ptr<const Snapshot>> snapshot_;
  RequestQueue queue_;
  std::mutex stop_mutex_;
  std::stop_source stop_, load_stop_;

  // of the engine's thread alone
  bool quit_ = false, dirty_ = true, tokens_changed_ = true, view_failed_ = false;
  bool hidden_missed_ = false;  // the session's hidden states could not be read again
  Clock::time_point published_{};
  Snapshot state_;
  ProbeRequest probes_;
  std::unique_ptr<Session> session_;
  std::optional<ViewRefresher> views_;
  std::optional<Generation> generation_;
  std::uint32_t prompt_tokens_ = 0;

  std::jthread thread_;  // last: starts when everything else is there
};

}  // namespace vitrine::core
