// The engine's thread: requests, then a slice of generation, then the pictures, then a snapshot; and again.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>

#include "core/adapter/attach_adapter.h"
#include "core/engine/engine.h"
#include "core/engine/hidden_stream.h"
#include "core/engine/memory_budget.h"
#include "core/engine/model_summary.h"
#include "core/engine/request_queue.h"
#include "core/engine/view_refresher.h"

namespace vitrine::core {
namespace {

constexpr double kSliceSeconds = 0.025;       // of generation between two looks at requests and views
constexpr double kPublishSeconds = 1.0 / 60;  // while something grows
constexpr std::size_t kNextTokens = 5;

std::vector<NextToken> mostProbable(const std::vector<float>& logits, const Tokenizer& tokenizer) {
  std::vector<TokenId> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::size_t count = std::min(kNextTokens, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](TokenId a, TokenId b) { return logits[a] > logits[b]; });
  double sum = 0;
  for (float logit : logits) sum += std::exp(double(logit) - logits[order[0]]);
  std::vector<NextToken> next;
  for (std::size_t i = 0; i < count; ++i) {
    double p = std::exp(double(logits[order[i]]) - logits[order[0]]) / sum;
    next.push_back({order[i], tokenizer.display(order[i]), static_cast<float>(p)});
  }
  return next;
}

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
  EngineThread(gpu::Device& device, std::function<void()> on_snapshot)
      : device_(device), on_snapshot_(std::move(on_snapshot)), snapshot_(std::make_shared<Snapshot>()) {
    thread_ = std::jthread([this] { run(); });
  }

  ~EngineThread() override {
    interrupt();
    (void)renew(load_stop_);
    queue_.push("quit", [this] { quit_ = true; });
    thread_.join();
  }

  std::shared_ptr<const Snapshot> snapshot() const override { return snapshot_.load(); }

  void loadModel(std::filesystem::path path, LoadOptions options) override {
    interrupt();
    queue_.push("load", [this, path = std::move(path), options, stop = renew(load_stop_)] {
      if (attempt(load(path, options, stop))) followHidden();
    });
  }
  void cancelLoad() override { (void)renew(load_stop_); }
  void unloadModel() override {
    interrupt();
    (void)renew(load_stop_);
    queue_.push("load", [this] { unload(); });
  }
  void setPrompt(std::string prompt) override {
    queue_.push("generate", [this, prompt = std::move(prompt), stop = renew(stop_)] {
      attempt(readPrompt(prompt, stop));
    });
  }
  void generate(GenerateRequest request) override {
    queue_.push("generate", [this, request = std::move(request), stop = renew(stop_)] {
      if (attempt(readPrompt(request.prompt, stop)))
        begin(request.max_tokens, request.sampling, request.tokens_per_s_limit, stop);
    });
  }
  void continueGeneration(std::uint32_t max_tokens, SamplingSettings sampling) override {
    queue_.push("continue",
                [this, max_tokens, sampling, stop = renew(stop_)] { begin(max_tokens, sampling, 0, stop); });
  }
  void step(SamplingSettings sampling) override { continueGeneration(1, sampling); }
  void stop() override {
    interrupt();
    queue_.push("stop", [this] { end(StopReason::kUser); });
  }
  void truncate(std::uint32_t tokens) override {
    queue_.push("truncate", [this, tokens] {
      generation_.reset();
      if (!session_) return;
      attempt(session_->truncate(tokens));
      prompt_tokens_ = std::min(prompt_tokens_, tokens);
      views_->invalidate();
      sequenceChanged();
    });
  }
  void clearError() override {
    queue_.push("clear error", [this] { state_.error.reset(); });
  }
  void setAdapterScale(std::uint32_t adapter, float scale) override {
    queue_.push(fmt::format("adapter {}", adapter), [this, adapter, scale, stop = currentStop()] {
      attempt(changeAdapter(adapter, scale, stop));
    });
  }
  void setProbes(ProbeRequest request) override {
    queue_.push("probes", [this, request = std::move(request)] {
      probes_ = request;
      if (views_) views_->setRequest(probes_);
      followHidden();
    });
  }
  void readMap(std::uint32_t layer, std::uint32_t head, MatrixCallback callback) override {
    queue_.push(fmt::format("map {} {}", layer, head), [this, layer, head, callback = std::move(callback)] {
      callback(session_ ? views_->matrix(*session_, layer, head)
                        : fail(ErrorCode::kInvalidArgument, "no model is loaded: open one first"));
    });
  }

 private:
  // Stops what reads or generates, also what was asked for and has not started. Loading goes on: a prompt
  // that arrives meanwhile waits for the model.
  void interrupt() {
    std::lock_guard lock(stop_mutex_);
    stop_.request_stop();
  }

  // Stops the newest operation of the source; the token is for the next.
  std::stop_token renew(std::stop_source& source) {
    std::lock_guard lock(stop_mutex_);
    source.request_stop();
    source = std::stop_source();
    return source.get_token();
  }

  // For an operation that stops no other.
  std::stop_token currentStop() {
    std::lock_guard lock(stop_mutex_);
    if (stop_.stop_requested()) stop_ = std::stop_source();
    return stop_.get_token();
  }

  void run() {
    while (!quit_) {
      while (auto work = queue_.take()) {
        (*work)();
        if (quit_) return;
        dirty_ = true;
      }
      if (generation_) attempt(generateSlice());
      refreshViews();
      bool busy = generation_.has_value();
      if (dirty_ && (!busy || secondsSince(published_) >= kPublishSeconds)) publish();
      if (!busy && !(session_ && views_ && views_->pending(*session_) && !view_failed_)) queue_.wait();
    }
  }

  bool attempt(const Result<void>& result) {
    dirty_ = true;
    if (result) {
      state_.error.reset();
      return true;
    }
    generation_.reset();
    if (result.error().code != ErrorCode::kCancelled) state_.error = result.error();
    settle();
    return false;
  }

  void settle() {
    state_.state = session_ ? EngineState::kReady : EngineState::kEmpty;
    state_.activity.clear();
    state_.progress_done = state_.progress_total = 0;
  }

  void progress(EngineState state, std::string activity, std::uint64_t done, std::uint64_t total) {
    state_.state = state;
    state_.activity = std::move(activity);
    state_.progress_done = done;
    state_.progress_total = total;
    if (secondsSince(published_) >= kPublishSeconds || done == 0) publish();
  }

  Result<void> load(const std::filesystem::path& path, LoadOptions options, const std::stop_token& stop) {
    generation_.reset();
    progress(EngineState::kLoading, "Opening " + path.filename().string(), 0, 0);
    TRY_ASSIGN(auto checkpoint, Checkpoint::open(path));
    TRY_ASSIGN(auto spec, readModelSpec(checkpoint));
    TRY_ASSIGN(auto tokenizer, Tokenizer::fromCheckpoint(*checkpoint));
    for (const AdapterChoice& adapter : options.adapters) TRY(attachAdapter(spec, adapter));
    spec.merge_adapters = options.merge_adapters;
    auto report = [&](LoadProgress p) {
      progress(EngineState::kLoading, "Loading weights", p.done, p.total);
    };
    const SessionOptions wanted{.context = options.context, .cache = options.cache, .probes = true};
    TRY(checkMemory(spec, wanted, device_.memory().available, device_.info().name));
    TRY_ASSIGN(auto model, Model::load(device_, std::move(spec), report, stop));
    TRY_ASSIGN(auto session, Session::create(model, wanted));
    TRY_ASSIGN(auto views, ViewRefresher::create(device_));
    views_.emplace(std::move(views));
    views_->forget();
    views_->setRequest(probes_);
    session_ = std::move(session);
    state_.tokenizer = std::move(tokenizer);
    state_.model = std::make_shared<const ModelSummary>(summarize(*session_, *state_.tokenizer));
    showAdapterScales();
    prompt_tokens_ = 0;
    state_.stop = StopReason::kNone;
    state_.timings = {};
    sequenceChanged();
    settle();
    return {};
  }

  void unload() {
    generation_.reset();
    views_.reset();
    session_.reset();
    state_.tokenizer.reset();
    state_.model.reset();
    state_.adapter_scales.clear();
    sequenceChanged();
    settle();
  }

  // The cache keeps what the new prompt shares with the old sequence.
  Result<void> readPrompt(const std::string& prompt, const std::stop_token& stop) {
    generation_.reset();
    if (!session_) return fail(ErrorCode::kInvalidArgument, "no model is loaded: open one first");
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "reading the prompt was cancelled");
    TRY_ASSIGN(auto ids, state_.tokenizer->encodePrompt(prompt));
    auto old = session_->tokens();
    auto shared = std::mismatch(old.begin(), old.end(), ids.begin(), ids.end()).first - old.begin();
    // What is known of hidden states cannot be cut back.
    if (session_->hidden() && shared < std::ssize(old)) shared = 0;
    TRY(session_->truncate(static_cast<std::uint32_t>(shared)));
    auto start = Clock::now();
    auto rest = std::span(ids).subspan(static_cast<std::size_t>(shared));
    auto done = session_->prefill(rest, stop, [&](std::uint32_t done, std::uint32_t total) {
      progress(EngineState::kPrefilling, "Reading the prompt", done, total);
    });
    prompt_tokens_ = session_->length();
    views_->invalidate();
    sequenceChanged();
    TRY(done);
    if (!rest.empty()) state_.timings.prefill_tokens_per_s = double(rest.size()) / secondsSince(start);
    state_.stop = StopReason::kNone;
    settle();
    return {};
  }

  Result<void> changeAdapter(std::uint32_t adapter, float scale, const std::stop_token& stop) {
    if (!session_) return fail(ErrorCode::kInvalidArgument, "no model is loaded: open one first");
    TRY(session_->setAdapterScale(adapter, scale));
    showAdapterScales();
    if (generation_ || session_->length() == 0) return {};
    const std::vector<TokenId> all(session_->tokens().begin(), session_->tokens().end());
    TRY(session_->truncate(0));
    auto done = session_->prefill(all, stop, [&](std::uint32_t done, std::uint32_t total) {
      progress(EngineState::kPrefilling, "Reading with the adapter", done, total);
    });
    prompt_tokens_ = std::min(prompt_tokens_, session_->length());
    views_->invalidate();
    sequenceChanged();
    TRY(done);
    settle();
    return {};
  }

  void showAdapterScales() {
    const std::span<const float> scales = session_->adapterScales();
    state_.adapter_scales.assign(scales.begin(), scales.end());
  }

  void begin(std::uint32_t max_tokens, const SamplingSettings& sampling, double limit,
             const std::stop_token& stop) {
    if (stop.stop_requested()) return;
    if (!session_ || session_->length() == 0) {
      attempt(
          fail(ErrorCode::kInvalidArgument, "there is nothing to continue: load a model and give a prompt"));
      return;
    }
    generation_ = Generation{
        .remaining = max_tokens, .done = 0, .sampling = sampling, .tokens_per_s_limit = limit, .stop = stop};
    state_.state = EngineState::kGenerating;
    state_.activity = "Generating";
    state_.stop = StopReason::kNone;
  }

  void end(StopReason reason) {
    if (!generation_) return;
    generation_.reset();
    state_.stop = reason;
    settle();
    sequenceChanged();
  }

  Result<void> generateSlice() {
    Generation& g = *generation_;
    if (g.tokens_per_s_limit > 0) {
      double due = g.done / g.tokens_per_s_limit - secondsSince(g.start);
      if (due > 0) {
        queue_.waitFor(std::chrono::milliseconds(std::min<int>(static_cast<int>(due * 1000) + 1, 16)));
        return {};
      }
      g.slice = 1;
    }
    std::vector<TokenId> ends = state_.tokenizer->endOfText();
    DecodeTimings timings;
    auto start = Clock::now();
    std::uint32_t count = std::min(g.slice, g.remaining);
    TRY_ASSIGN(StopReason reason, session_->decode(count, g.sampling, ends, {}, g.stop, &timings));
    g.done += timings.tokens;
    g.remaining -= std::min(g.remaining, timings.tokens);
    double per_token = secondsSince(start) / std::max(1u, timings.tokens);
    g.slice = std::clamp(static_cast<std::uint32_t>(kSliceSeconds / per_token), 1u, 64u);
    state_.timings.tokens_per_s = g.done / secondsSince(g.start);
    state_.timings.gpu_ms_per_token = timings.gpu_ms;
    sequenceChanged();
    if (reason == StopReason::kLength && g.remaining > 0) return {};
    end(reason);
    return {};
  }

  // What only the views need must not end what is being generated.
  bool attemptForViews(const Result<void>& result) {
    dirty_ = true;
    if (!result && result.error().code != ErrorCode::kCancelled) state_.error = result.error();
    return result.has_value();
  }

  // Hidden states are kept while somebody looks at their spectra.
  void followHidden() {
    if (!session_) return;
    hidden_missed_ = false;
    const bool wanted = probes_.spectra && probes_.spectra->of == SpectraOf::kActivations;
    if (wanted == (session_->hidden() != nullptr)) return;
    using Options = std::optional<HiddenStreamOptions>;
    attemptForViews(session_->followHidden(wanted ? Options({.window = kMostWindow}) : Options()));
  }

  // Those of tokens that were read before anybody looked: they are read once more when nothing else is to do.
  void catchUp() {
    const HiddenStream* hidden = session_->hidden();
    if (!hidden || generation_ || hidden_missed_ || session_->length() == 0) return;
    if (hidden->first() == 0 && hidden->end() == session_->length()) return;
    const bool done =
        attemptForViews(session_->readAgain(currentStop(), [&](std::uint32_t done, std::uint32_t total) {
          progress(EngineState::kPrefilling, "Reading for spectra", done, total);
        }));
    hidden_missed_ = !done;  // not again before something changes
    views_->invalidate();
    settle();
  }

  void refreshViews() {
    if (!session_ || !views_) return;
    catchUp();
    auto pace = generation_ ? ViewRefresher::Pace::kGenerating : ViewRefresher::Pace::kIdle;
    auto changed = views_->refresh(*session_, pace);
    view_failed_ = !changed;
    if (!changed) {
      state_.error = changed.error();
      dirty_ = true;
    } else if (*changed) {
      dirty_ = true;
    }
  }

  void sequenceChanged() {
    hidden_missed_ = false;
    dirty_ = true;
    tokens_changed_ = true;
  }

  void updateTokens() {
    auto tokens = std::make_shared<std::vector<Token>>();
    if (session_) {
      for (TokenId id : session_->tokens())
        tokens->push_back({id, state_.tokenizer->display(id), tokens->size() < prompt_tokens_});
      state_.next.clear();
      if (session_->length() > 0)
        if (auto logits = session_->logits()) state_.next = mostProbable(*logits, *state_.tokenizer);
    } else {
      state_.next.clear();
    }
    state_.tokens = std::move(tokens);
    tokens_changed_ = false;
  }

  void publish() {
    if (tokens_changed_) updateTokens();
    state_.sequence++;
    state_.memory = device_.memory();
    if (views_)
      views_->fill(state_);
    else
      state_.map = nullptr, state_.overview = nullptr, state_.row = nullptr, state_.heads = nullptr,
      state_.spectra = nullptr;
    snapshot_.store(std::make_shared<const Snapshot>(state_));
    published_ = Clock::now();
    dirty_ = false;
    if (on_snapshot_) on_snapshot_();
  }

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

}  // namespace

std::unique_ptr<Engine> Engine::start(gpu::Device& device, std::function<void()> on_snapshot) {
  return std::make_unique<EngineThread>(device, std::move(on_snapshot));
}

std::string_view name(StopReason reason) {
  switch (reason) {
    case StopReason::kEndOfText:
      return "end of text";
    case StopReason::kLength:
      return "length";
    case StopReason::kUser:
      return "stopped";
    case StopReason::kContextFull:
      return "context full";
    default:
      return "none";
  }
}

}  // namespace vitrine::core
