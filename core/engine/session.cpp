#include "core/engine/session.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <deque>

#include "core/engine/clock.h"
#include "core/engine/mixer_memory.h"
#include "core/engine/session_impl.h"
#include "engine/sample.params.h"
#include "engine/state.params.h"
#include "gpu/commands.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kDefaultContext = 4096;
constexpr std::uint32_t kLogitRows = 64;     // of a captured pass, at once
constexpr std::uint32_t kKeysPerSplit = 64;  // fewer are not worth a workgroup of their own
constexpr std::uint32_t kMaxSplits = 64;
constexpr std::uint32_t kTakenTogether = 16;  // hidden states of generated tokens
constexpr std::uint32_t kFirstSplitBucket =
    256;  // decode is recorded again when the length passes a power of two

}  // namespace

// As many parts as fill the device, but none shorter than kKeysPerSplit keys.
std::uint32_t Session::Impl::splitsFor(std::uint32_t length) const {
  if (software()) return 1;
  std::uint32_t units = device().info().compute_units ? 2 * device().info().compute_units : 128;
  std::uint32_t heads = 1;
  for (std::uint32_t layer = 0; layer < layers(); ++layer)
    if (const AttentionSpec* spec = model->attention(layer)) heads = std::max(heads, spec->kv_heads);
  return std::clamp(std::min(units / heads, length / kKeysPerSplit), 1u, kMaxSplits);
}

Result<void> Session::Impl::setState(gpu::Commands& commands, std::uint32_t position, std::uint32_t length) {
  shader::StepState state{.position = position, .tokens = length};
  commands.update({buffers.state, 0, sizeof(state)}, std::as_bytes(std::span(&state, 1)));
  return {};
}

Result<void> Session::Impl::runBatch(std::span<const TokenId> ids, bool want_logits, Capture* capture) {
  auto count = static_cast<std::uint32_t>(ids.size());
  auto base = static_cast<std::uint32_t>(tokens.size());
  gpu::Commands& commands = batch_commands;
  TRY(commands.begin());
  prepared.reset();
  forgetSums(base);
  TRY(setState(commands, base, base + count));
  commands.update(gpu::Slice(buffers.ids, 0, count * 4), std::as_bytes(ids));
  TRY(forward->embed(commands, count));
  if (capture && capture->hidden) TRY(recordCapture(commands, 0, count));
  TRY(storeHidden(commands, 0, count));
  for (std::uint32_t layer = 0; layer < layers(); ++layer) {
    TRY(forward->block(commands, layer, count, count == 1 ? splitsFor(base + 1) : 1));
    if (capture && capture->router) routers->record(commands, layer, count);
    if (capture && capture->hidden && layer + 1 < layers()) TRY(recordCapture(commands, layer + 1, count));
    TRY(storeHidden(commands, layer + 1, count));
  }
  if (capture && capture->hidden) {
    std::uint64_t slot = std::uint64_t(kMaxBatch) * buffers.x_stride * 4;
    TRY(forward->finalNorm(commands, count, {captured_hidden, layers() * slot, slot}));
  }
  if (want_logits) TRY(forward->head(commands, count - 1, 1, buffers.logits));
  commands.hostBarrier();
  TRY(commands.end());
  TRY(commands.submitAndWait());
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  seen = base + count;
  logits_valid = want_logits;
  if (capture) TRY(readCapture(count, *capture));
  return takeHidden(base, base + count);
}

Result<void> Session::Impl::recordCapture(gpu::Commands& commands, std::uint32_t slot, std::uint32_t count) {
  std::uint64_t bytes = std::uint64_t(count) * buffers.x_stride * 4;
  std::uint64_t slot_bytes = std::uint64_t(kMaxBatch) * buffers.x_stride * 4;
  commands.copy({buffers.x, 0, bytes}, {captured_hidden, slot * slot_bytes, bytes});
  return {};
}

Result<void> Session::Impl::readCapture(std::uint32_t count, Capture& capture) {
  if (capture.hidden) {
    std::uint32_t width = model->spec().embedding_dim, stride = buffers.x_stride;
    capture.hidden_states.resize(layers() + 1);
    std::span<const float> values = captured_hidden.mappedAs<float>();
    for (std::uint32_t slot = 0; slot <= layers(); ++slot)
      for (std::uint32_t token = 0; token < count; ++token) {
        auto row = values.subspan((std::size_t(slot) * kMaxBatch + token) * stride, width);
        capture.hidden_states[slot].insert(capture.hidden_states[slot].end(), row.begin(), row.end());
      }
  }
  if (capture.router) routers->read(count, capture);
  return capture.logits ? captureLogits(count, capture) : Result<void>{};
}

Result<void> Session::Impl::captureLogits(std::uint32_t count, Capture& capture) {
  for (std::uint32_t first = 0; first < count; first += kLogitRows) {
    std::uint32_t rows = std::min(kLogitRows, count - first);
    TRY(batch_commands.begin());
    TRY(forward->head(batch_commands, first, rows, logit_rows));
    batch_commands.copy(logit_rows, captured_logits);
    batch_commands.hostBarrier();
    TRY(batch_commands.end());
    TRY(batch_commands.submitAndWait());
    std::span<const float> values = captured_logits.mappedAs<float>();
    for (std::uint32_t r = 0; r < rows; ++r) {
      auto row = values.subspan(std::size_t(r) * buffers.vocab_stride, vocab());
      capture.logit_rows.insert(capture.logit_rows.end(), row.begin(), row.end());
    }
  }
  return {};
}

// One decode step: sample from the logits, then read the sampled token, which leaves the next logits.
Result<void> Session::Impl::recordStep(std::uint32_t length) {
  if (length <= step_bucket) return {};
  step_bucket = std::max(kFirstSplitBucket, std::bit_ceil(length));
  gpu::Commands& commands = step_commands;
  TRY(commands.begin());
  commands.mark("begin");
  TRY(forward->sample(commands));
  TRY(forward->embed(commands, 1));
  TRY(storeHidden(commands, 0, 1));
  for (std::uint32_t layer = 0; layer < layers(); ++layer) {
    TRY(forward->block(commands, layer, 1, splitsFor(step_bucket)));
    TRY(storeHidden(commands, layer + 1, 1));
  }
  TRY(forward->head(commands, 0, 1, buffers.logits));
  commands.mark("end");
  commands.hostBarrier();
  return commands.end();
}

Result<void> Session::Impl::prepareDecode(const SamplingSettings& sampling) {
  auto length = static_cast<std::uint32_t>(tokens.size());
  if (std::exchange(prepared, std::nullopt) == std::pair(length, sampling)) return {};
  shader::SampleSettings settings{
      .temperature = sampling.temperature,
      .top_p = sampling.top_p,
      .min_p = sampling.min_p,
      .top_k = sampling.top_k,
      .seed_low = static_cast<std::uint32_t>(sampling.seed),
      .seed_high = static_cast<std::uint32_t>(sampling.seed >> 32),
      .unused0 = 0,
      .unused1 = 0,
  };
  TRY(setup_commands.begin());
  TRY(setState(setup_commands, length, length));
  setup_commands.update(buffers.settings, std::as_bytes(std::span(&settings, 1)));
  TRY(setup_commands.end());
  return setup_commands.submitAndWait();
}

std::uint32_t defaultContext(const ModelSpec& spec) {
  return std::min(spec.context_length, kDefaultContext);
}

Session::Session() : impl_(new Impl) {}

Session::~Session() {
  if (impl_->kernels) (void)impl_->device().waitIdle();
}

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& requested) {
  std::unique_ptr<Session> session(new Session);
  Impl& impl = *session->impl_;
  SessionOptions options = requested;
  if (options.context == 0) options.context = defaultContext(model->spec());
  SessionMemory need = sessionMemory(model->spec(), options);
  gpu::MemoryUsage memory = model->device().memory();
  if (need.cache + need.scratch > memory.available)
    return fail(
        ErrorCode::kOutOfMemory,
        "a context of {} tokens needs {:.2f} GB of cache and {:.2f} GB of scratch, {:.2f} GB are free on {}: "
        "choose a shorter context or an F16 cache",
        options.context, need.cache / 1e9, need.scratch / 1e9, memory.available / 1e9,
        model->device().info().name);
  for (std::uint32_t layer = 0; layer < model->layers(); ++layer)
    if (const AttentionSpec* spec = model->attention(layer); spec && spec->head_dim % 4 != 0)
      return fail(ErrorCode::kUnsupported, "layer {}: a head_dim of {} is not a multiple of 4", layer,
                  spec->head_dim);
  gpu::Device& device = model->device();
  TRY_ASSIGN(impl.buffers,
             SessionBuffers::create(*model, options, kMaxBatch, device.info().software ? 1 : kMaxSplits));
  TRY_ASSIGN(impl.batch_commands, gpu::Commands::create(device, "prefill"));
  TRY_ASSIGN(impl.step_commands, gpu::Commands::create(device, "decode step"));
  TRY_ASSIGN(impl.setup_commands, gpu::Commands::create(device, "decode setup"));
  TRY_ASSIGN(impl.sum_commands, gpu::Commands::create(device, "implied sums"));
  impl.model = std::move(model);
  impl.summed.resize(impl.layers());
  impl.options = options;
  impl.recurrent = isRecurrent(impl.model->spec());
  impl.kernels.emplace(device);
  impl.forward.emplace(*impl.model, impl.options, impl.buffers, *impl.kernels);
  for (const AttachedAdapter& adapter : impl.model->spec().adapters)
    impl.adapter_scales.push_back(adapter.scale);
  if (impl.buffers.adapter_scales) {
    impl.kernels->useAdapterScales(impl.buffers.adapter_scales);
    TRY(impl.writeAdapterScales());
  }
  return session;
}

const Model& Session::model() const {
  return *impl_->model;
}
const SessionOptions& Session::options() const {
  return impl_->options;
}
std::uint32_t Session::context() const {
  return impl_->options.context;
}
std::uint32_t Session::length() const {
  return static_cast<std::uint32_t>(impl_->tokens.size());
}
std::span<const TokenId> Session::tokens() const {
  return impl_->tokens;
}
std::uint64_t Session::cacheBytes() const {
  return sessionMemory(model().spec(), options()).cache;
}
std::uint64_t Session::scratchBytes() const {
  return sessionMemory(model().spec(), options()).scratch;
}

void Session::setPrefillChunk(std::uint32_t tokens) {
  impl_->batch = std::clamp(tokens, 1u, kMaxBatch);
}

Result<void> Session::prefill(std::span<const TokenId> ids, std::stop_token stop,
                              const ProgressCallback& progress, Capture* capture) {
  Impl& impl = *impl_;
  for (TokenId id : ids)
    if (id < 0 || static_cast<std::uint32_t>(id) >= impl.vocab())
      return fail(ErrorCode::kInvalidArgument, "token id {} lies outside the vocabulary of {}", id,
                  impl.vocab());
  if (ids.size() > context() - length())
    return fail(ErrorCode::kInvalidArgument,
                "the prompt has {} tokens, but only {} of the context's {} are free: shorten it or load the "
                "model with "
                "a longer context",
                ids.size(), context() - length(), context());
  if (capture && capture->hidden && !impl.captured_hidden) {
    TRY_ASSIGN(impl.captured_hidden,
               gpu::Buffer::create(impl.device(),
                                   std::uint64_t(impl.layers() + 1) * kMaxBatch * impl.buffers.x_stride * 4,
                                   gpu::MemoryKind::kReadback, "captured hidden states"));
  }
  if (capture && capture->router && !impl.routers) {
    TRY_ASSIGN(auto routers, RouterRecorder::create(model(), impl.buffers, kMaxBatch));
    impl.routers.emplace(std::move(routers));
  }
  if (capture && capture->logits && !impl.logit_rows) {
    std::uint64_t bytes = std::uint64_t(kLogitRows) * impl.buffers.vocab_stride * 4;
    TRY_ASSIGN(impl.logit_rows,
               gpu::Buffer::create(impl.device(), bytes, gpu::MemoryKind::kDevice, "logit rows"));
    TRY_ASSIGN(impl.captured_logits,
               gpu::Buffer::create(impl.device(), bytes, gpu::MemoryKind::kReadback, "captured logits"));
  }
  std::vector<TokenId> before, all;
  if (impl.recurrent && impl.seen != length()) {
    before = std::exchange(impl.tokens, {});
    all = before;
    all.insert(all.end(), ids.begin(), ids.end());
    ids = all;
  }
  auto total = static_cast<std::uint32_t>(ids.size());
  for (std::uint32_t done = 0; done < total;) {
    if (stop.stop_requested()) {
      // What was there already stays, be it to be read once more.
      if (length() < before.size()) impl.tokens = std::move(before);
      return fail(ErrorCode::kCancelled, "reading the prompt was cancelled");
    }
    std::uint32_t count = std::min(impl.batch, total - done);
    TRY(impl.runBatch(ids.subspan(done, count), done + count == total, capture));
    done += count;
    if (progress) progress(done, total);
  }
  return {};
}

Result<StopReason> Session::decode(std::uint32_t count, const SamplingSettings& sampling,
                                   std::span<const TokenId> stop_ids, const TokenCallback& on_token,
                                   std::stop_token stop, DecodeTimings* timings) {
  Impl& impl = *impl_;
  if (impl.tokens.empty())
    return fail(ErrorCode::kInvalidArgument,
                "there is nothing to continue: the sequence is empty, give a prompt");
  TRY(ensureLogits(stop));
  std::uint32_t base = length();
  if (base >= context()) return StopReason::kContextFull;
  TRY(impl.prepareDecode(sampling));
  StopReason reason = StopReason::kNone;
  auto start = Clock::now();
  std::deque<std::uint64_t> in_flight;
  std::uint32_t submitted = 0, accepted = 0, taken = 0, wanted = std::min(count, context() - base);
  while (accepted < wanted && reason == StopReason::kNone) {
    while (submitted < wanted && in_flight.size() < impl.lookahead()) {
      if (base + submitted + 1 > impl.step_bucket && !in_flight.empty())
        break;  // still in use: recorded when idle
      TRY(impl.recordStep(base + submitted + 1));
      TRY_ASSIGN(auto value, impl.step_commands.submit());
      in_flight.push_back(value);
      ++submitted;
    }
    TRY(impl.device().wait(in_flight.front()));
    in_flight.pop_front();
    auto id =
        static_cast<TokenId>(impl.buffers.ring.mappedAs<std::uint32_t>()[(base + accepted) % kRingSize]);
    impl.tokens.push_back(id);
    ++accepted;
    impl.seen = base + accepted;
    if (accepted - taken == kTakenTogether) {
      TRY(impl.takeHidden(base + taken, base + accepted));
      taken = accepted;
    }
    bool go_on = !on_token || on_token(id);
    if (std::find(stop_ids.begin(), stop_ids.end(), id) != stop_ids.end())
      reason = StopReason::kEndOfText;
    else if (!go_on || stop.stop_requested())
      reason = StopReason::kUser;
  }
  if (!in_flight.empty()) TRY(impl.device().wait(in_flight.back()));
  if (accepted > taken) TRY(impl.takeHidden(base + taken, base + accepted));
  impl.logits_valid = submitted == accepted;
  if (impl.logits_valid) impl.prepared.emplace(length(), sampling);
  if (reason == StopReason::kNone)
    reason = accepted == count ? StopReason::kLength : StopReason::kContextFull;
  if (timings) {
    *timings = {.tokens = accepted, .wall_s = secondsSince(start), .gpu_ms = 0};
    TRY_ASSIGN(auto marks, impl.step_commands.marks());
    if (!marks.empty()) timings->gpu_ms = marks.back().ms;
  }
  return reason;
}

// Reads the last token again, or, with recurrent states, all of them.
Result<void> Session::ensureLogits(std::stop_token stop) {
  Impl& impl = *impl_;
  if (impl.logits_valid) return {};
  const std::uint32_t before = length();
  TokenId last = impl.tokens.back();
  impl.tokens.pop_back();
  auto read = prefill({&last, 1}, std::move(stop));
  if (!read && length() + 1 == before) impl.tokens.push_back(last);
  return read;
}

Result<void> Session::Impl::writeAdapterScales() {
  TRY(setup_commands.begin());
  setup_commands.update({buffers.adapter_scales, 0, adapter_scales.size() * sizeof(float)},
                        std::as_bytes(std::span(adapter_scales)));
  TRY(setup_commands.end());
  return setup_commands.submitAndWait();
}

Result<void> Session::setAdapterScale(std::uint32_t adapter, float scale) {
  Impl& impl = *impl_;
  const std::vector<AttachedAdapter>& adapters = model().spec().adapters;
  if (adapter >= adapters.size())
    return fail(ErrorCode::kInvalidArgument, "there is no adapter {}: the model has {}", adapter,
                adapters.size());
  if (model().spec().merge_adapters)
    return fail(ErrorCode::kInvalidArgument, "the adapter {} is merged into the weights: its scale stays {}",
                adapters[adapter].name, adapters[adapter].scale);
  if (!std::isfinite(scale))
    return fail(ErrorCode::kInvalidArgument, "a scale of {}, expected a finite number", scale);
  impl.adapter_scales[adapter] = scale;
  return impl.writeAdapterScales();
}

std::span<const float> Session::adapterScales() const {
  return impl_->adapter_scales;
}

Result<void> Session::truncate(std::uint32_t length) {
  if (length >= impl_->tokens.size()) return {};
  impl_->tokens.resize(length);
  impl_->logits_valid = false;
  impl_->revision = newRevision();
  impl_->forgetSums(length);
  if (impl_->hidden) impl_->hidden->cut(length);
  return {};
}

Result<std::vector<float>> Session::logits() {
  Impl& impl = *impl_;
  if (impl.tokens.empty()) return fail(ErrorCode::kInvalidArgument, "an empty sequence has no logits");
  TRY(ensureLogits({}));
  std::vector<float> values(impl.vocab());
  TRY(gpu::download(impl.device(), {impl.buffers.logits, 0, values.size() * 4},
                    std::as_writable_bytes(std::span(values))));
  return values;
}

}  // namespace vitrine::core
