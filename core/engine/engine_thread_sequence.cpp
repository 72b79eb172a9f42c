#include "core/engine/engine_thread.h"

#include <algorithm>

#include "core/adapter/attach_adapter.h"
#include "core/engine/hidden_stream.h"
#include "core/engine/memory_budget.h"
#include "core/engine/model_summary.h"

namespace vitrine::core {
namespace {

constexpr double kSliceSeconds = 0.025;  // of generation between two looks at requests and views

}  // namespace

Result<void> EngineThread::load(const std::filesystem::path& path, LoadOptions options,
                                const std::stop_token& stop) {
  generation_.reset();
  progress(EngineState::kLoading, "Opening " + path.filename().string(), 0, 0);
  TRY_ASSIGN(auto checkpoint, Checkpoint::open(path));
  TRY_ASSIGN(auto spec, readModelSpec(checkpoint));
  TRY_ASSIGN(auto tokenizer, Tokenizer::fromCheckpoint(*checkpoint));
  for (const AdapterChoice& adapter : options.adapters) TRY(attachAdapter(spec, adapter));
  spec.merge_adapters = options.merge_adapters;
  auto report = [&](LoadProgress p) { progress(EngineState::kLoading, "Loading weights", p.done, p.total); };
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

void EngineThread::unload() {
  generation_.reset();
  views_.reset();
  session_.reset();
  state_.tokenizer.reset();
  state_.model.reset();
  state_.adapter_scales.clear();
  sequenceChanged();
  settle();
}

Result<void> EngineThread::readPrompt(const std::string& prompt, const std::stop_token& stop) {
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

Result<void> EngineThread::changeAdapter(std::uint32_t adapter, float scale, const std::stop_token& stop) {
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

void EngineThread::showAdapterScales() {
  const std::span<const float> scales = session_->adapterScales();
  state_.adapter_scales.assign(scales.begin(), scales.end());
}

void EngineThread::begin(std::uint32_t max_tokens, const SamplingSettings& sampling, double limit,
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

void EngineThread::end(StopReason reason) {
  if (!generation_) return;
  generation_.reset();
  state_.stop = reason;
  settle();
  sequenceChanged();
}

Result<void> EngineThread::generateSlice() {
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

bool EngineThread::attemptForViews(const Result<void>& result) {
  dirty_ = true;
  if (!result && result.error().code != ErrorCode::kCancelled) state_.error = result.error();
  return result.has_value();
}

void EngineThread::followHidden() {
  if (!session_) return;
  hidden_missed_ = false;
  const bool wanted = probes_.spectra && probes_.spectra->of == SpectraOf::kActivations;
  if (wanted == (session_->hidden() != nullptr)) return;
  using Options = std::optional<HiddenStreamOptions>;
  attemptForViews(session_->followHidden(wanted ? Options({.window = kMostWindow}) : Options()));
}

void EngineThread::catchUp() {
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

void EngineThread::sequenceChanged() {
  hidden_missed_ = false;
  dirty_ = true;
  tokens_changed_ = true;
}

}  // namespace vitrine::core
