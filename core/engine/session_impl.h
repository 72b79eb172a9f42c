// What a session consists of, for session.cpp and session_records.cpp alone.
#pragma once

#include "core/engine/forward.h"
#include "core/engine/hidden_stream.h"
#include "core/engine/kernels.h"
#include "core/engine/router_capture.h"
#include "core/engine/session.h"
#include "core/engine/session_buffers.h"

namespace vitrine::core {

inline constexpr std::uint32_t kMaxBatch = 512;  // tokens of one forward pass

std::uint64_t newRevision();  // another number each time

struct Session::Impl {
  std::shared_ptr<const Model> model;
  SessionOptions options;
  SessionBuffers buffers;
  std::optional<Kernels> kernels;
  std::optional<Forward> forward;
  gpu::Commands batch_commands, step_commands, setup_commands, sum_commands;
  std::vector<float> adapter_scales;
  std::uint32_t step_bucket = 0;  // lengths up to this one are what step_commands was recorded for
  std::uint32_t batch = kMaxBatch;
  std::vector<TokenId> tokens;
  bool logits_valid = false;
  bool recurrent = false;
  // How many tokens recurrent states have seen. Another number than there are after a truncation: a state
  // cannot be cut back, so the sequence is read again.
  std::uint32_t seen = 0;
  // What the device's step state and sampling settings say after the last decode: going on from there needs
  // no set-up.
  std::optional<std::pair<std::uint32_t, SamplingSettings>> prepared;
  gpu::Buffer captured_hidden, captured_logits, logit_rows;
  std::optional<RouterRecorder> routers;
  std::optional<HiddenStream> hidden;
  std::vector<std::uint32_t> summed;  // (layers): rows of implied maps whose sums are there
  std::uint64_t revision = newRevision();

  gpu::Device& device() const { return model->device(); }
  bool software() const { return device().info().software; }
  std::uint32_t vocab() const { return model->spec().vocab_size; }
  std::uint32_t layers() const { return model->layers(); }

  std::uint32_t splitsFor(std::uint32_t length) const;
  Result<void> setState(gpu::Commands& commands, std::uint32_t position, std::uint32_t length);
  Result<void> runBatch(std::span<const TokenId> ids, bool want_logits, Capture* capture);
  void forgetSums(std::uint32_t from);  // of rows that are read anew
  Result<void> storeHidden(gpu::Commands& commands, std::uint32_t slot, std::uint32_t count);
  Result<void> takeHidden(std::uint32_t first, std::uint32_t end);
  Result<void> recordCapture(gpu::Commands& commands, std::uint32_t slot, std::uint32_t count);
  Result<void> readCapture(std::uint32_t count, Capture& capture);
  Result<void> captureLogits(std::uint32_t count, Capture& capture);
  Result<void> recordStep(std::uint32_t length);
  Result<void> writeAdapterScales();
  Result<void> prepareDecode(const SamplingSettings& sampling);
  // A step too many cannot be taken back from a recurrent state.
  std::uint32_t lookahead() const { return software() || recurrent ? 1 : 4; }
};

}  // namespace vitrine::core
