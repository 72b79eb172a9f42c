#include "core/engine/engine_thread.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::core {
namespace {

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

}  // namespace

EngineThread::EngineThread(gpu::Device& device, std::function<void()> on_snapshot)
    : device_(device), on_snapshot_(std::move(on_snapshot)), snapshot_(std::make_shared<Snapshot>()) {
  thread_ = std::jthread([this] { run(); });
}

EngineThread::~EngineThread() {
  interrupt();
  (void)renew(load_stop_);
  queue_.push("quit", [this] { quit_ = true; });
  thread_.join();
}

void EngineThread::loadModel(std::filesystem::path path, LoadOptions options) {
  interrupt();
  queue_.push("load", [this, path = std::move(path), options, stop = renew(load_stop_)] {
    if (attempt(load(path, options, stop))) followHidden();
  });
}

void EngineThread::unloadModel() {
  interrupt();
  (void)renew(load_stop_);
  queue_.push("load", [this] { unload(); });
}

void EngineThread::setPrompt(std::string prompt) {
  queue_.push("generate",
              [this, prompt = std::move(prompt), stop = renew(stop_)] { attempt(readPrompt(prompt, stop)); });
}

void EngineThread::generate(GenerateRequest request) {
  queue_.push("generate", [this, request = std::move(request), stop = renew(stop_)] {
    if (attempt(readPrompt(request.prompt, stop)))
      begin(request.max_tokens, request.sampling, request.tokens_per_s_limit, stop);
  });
}

void EngineThread::continueGeneration(std::uint32_t max_tokens, SamplingSettings sampling) {
  queue_.push("continue",
              [this, max_tokens, sampling, stop = renew(stop_)] { begin(max_tokens, sampling, 0, stop); });
}

void EngineThread::stop() {
  interrupt();
  queue_.push("stop", [this] { end(StopReason::kUser); });
}

void EngineThread::truncate(std::uint32_t tokens) {
  queue_.push("truncate", [this, tokens] {
    generation_.reset();
    if (!session_) return;
    attempt(session_->truncate(tokens));
    prompt_tokens_ = std::min(prompt_tokens_, tokens);
    views_->invalidate();
    sequenceChanged();
  });
}

void EngineThread::clearError() {
  queue_.push("clear error", [this] { state_.error.reset(); });
}

void EngineThread::setAdapterScale(std::uint32_t adapter, float scale) {
  queue_.push(fmt::format("adapter {}", adapter),
              [this, adapter, scale, stop = currentStop()] { attempt(changeAdapter(adapter, scale, stop)); });
}

void EngineThread::setProbes(ProbeRequest request) {
  queue_.push("probes", [this, request = std::move(request)] {
    probes_ = request;
    if (views_) views_->setRequest(probes_);
    followHidden();
  });
}

void EngineThread::readMap(std::uint32_t layer, std::uint32_t head, MatrixCallback callback) {
  queue_.push(fmt::format("map {} {}", layer, head), [this, layer, head, callback = std::move(callback)] {
    callback(session_ ? views_->matrix(*session_, layer, head)
                      : fail(ErrorCode::kInvalidArgument, "no model is loaded: open one first"));
  });
}

void EngineThread::interrupt() {
  std::lock_guard lock(stop_mutex_);
  stop_.request_stop();
}

std::stop_token EngineThread::renew(std::stop_source& source) {
  std::lock_guard lock(stop_mutex_);
  source.request_stop();
  source = std::stop_source();
  return source.get_token();
}

std::stop_token EngineThread::currentStop() {
  std::lock_guard lock(stop_mutex_);
  if (stop_.stop_requested()) stop_ = std::stop_source();
  return stop_.get_token();
}

void EngineThread::run() {
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

bool EngineThread::attempt(const Result<void>& result) {
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

void EngineThread::settle() {
  state_.state = session_ ? EngineState::kReady : EngineState::kEmpty;
  state_.activity.clear();
  state_.progress_done = state_.progress_total = 0;
}

void EngineThread::progress(EngineState state, std::string activity, std::uint64_t done,
                            std::uint64_t total) {
  state_.state = state;
  state_.activity = std::move(activity);
  state_.progress_done = done;
  state_.progress_total = total;
  if (secondsSince(published_) >= kPublishSeconds || done == 0) publish();
}

void EngineThread::refreshViews() {
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

void EngineThread::updateTokens() {
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

void EngineThread::publish() {
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
