// A sequence of tokens on a model: its KV cache, the forward pass, the sampler. Several sessions can share a
// model. Invariant between calls: the cache holds `length()` tokens and the logits are those after the last
// of them. Not thread-safe; all GPU work of a device comes from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/engine/engine_types.h"
#include "core/model/model.h"
#include "gpu/buffer.h"

namespace vitrine::core {

class HiddenStream;
struct HiddenStreamOptions;

struct SessionOptions {
  std::uint32_t context = 0;  // tokens of cache; 0: the model's context length, at most 4,096
  CacheType cache = CacheType::kF16;
  bool probes = false;  // keep queries, log-sum-exp, summaries and decays for the views
  std::uint64_t query_store_bytes = 256u
                                    << 20;  // most that kept queries may take; beyond it rows are thinned out
  bool whole_decays = false;  // of the probes: every decay of a step instead of each head's mean
};

// What a layer's attention left behind for the views. k is (kv_heads, context, head_dim) and q_store
// (heads, stored rows, head_dim) in the cache's type, both with rotary pairs adjacent (row_source.h); row i
// of the store is query i * q_step. Latent attention has no v: the rows of k, (rotary key, latent), end in
// it. lse is (heads, context) f32; summary (heads, context) two words (attention.params.h).
// Of a layer whose mixer implies a map (core/model/map_source.h): k (groups, context, head_dim) and q_store
// (groups, stored rows, head_dim) in f32, lse the log of the sum of |w|, terms (heads, context, 3) f32
// (shaders/mixers/implied.glsl); with probes only.
struct AttentionRecord {
  gpu::Slice k, v, q_store, lse, summary, terms;
  std::uint64_t slopes = 0;  // address of (heads) f32, or 0 without ALiBi
  std::uint32_t q_step = 1, q_rows = 0;
};

// What a layer's recurrent mixer carries to the next token, f32: (channels, state) of Mamba, (heads,
// head_dim, state) of Mamba-2, the inputs (kernel - 1, channels) of a short convolution, (3, channels) of
// RWKV-4, (channels) of Griffin, (heads, values, keys) of RWKV-7 and linear attention, mLSTM's n as a last
// value. Undefined before any token.
struct StateRecord {
  gpu::Slice values;
  std::vector<std::uint64_t> shape;
};

// With probes: by which factors in [0, 1] each step keeps the state that StateRecord shows, (context, shape)
// f32. The shape with SessionOptions::whole_decays: (heads) of Mamba-2, lightning attention, mLSTM and gated
// DeltaNet, (channels) of RWKV-4 and Griffin, (heads, keys) of RWKV-7, (channels, state) of Mamba; without,
// the means over each head's, (heads), or over all of them, (1).
struct DecayRecord {
  gpu::Slice values;
  std::vector<std::uint64_t> shape;
};

// With probes: a word of the expert's number and its weight for each choice, (context, top_k, 2).
struct RoutingRecord {
  gpu::Slice choices;
  std::uint32_t experts = 0, top_k = 0;
};

// What the router of a layer said: its raw logits, as transformers reports router_logits, and what came of
// them.
struct RouterCapture {
  std::uint32_t layer = 0, experts = 0, top_k = 0;
  std::vector<float> logits;         // (tokens, experts), before softmax or sigmoid and corrections
  std::vector<std::int32_t> chosen;  // (tokens, top_k), best first
  std::vector<float> weights;        // (tokens, top_k), of the chosen experts' outputs
};

// Where a captured forward pass puts its activations; each vector grows by (tokens, width) row-major values.
struct Capture {
  bool hidden = false, logits = false;
  std::vector<std::vector<float>>
      hidden_states;              // layers + 1: the embedding's output, .., after the final norm
  std::vector<float> logit_rows;  // (tokens, vocab)
  bool router = false;
  std::vector<RouterCapture> routers = {};  // of the layers that have one
};

struct DecodeTimings {
  std::uint32_t tokens = 0;
  double wall_s = 0;
  double gpu_ms = 0;  // of the newest step; 0 where the device has no timestamps
};

class Session {
 public:
  // kOutOfMemory names what the cache needs and what is free.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& options);
  ~Session();

  const Model& model() const;
  const SessionOptions& options() const;  // context filled in
  std::uint32_t context() const;
  std::uint32_t length() const;
  std::span<const TokenId> tokens() const;
  std::uint64_t cacheBytes() const;    // of k and v
  std::uint64_t scratchBytes() const;  // activations, logits, query store and the like

  // Appends tokens, in chunks; looks at `stop` between chunks (kCancelled: the chunks so far stay).
  // kInvalidArgument for an id outside the vocabulary or a sequence beyond the context.
  using ProgressCallback = std::function<void(std::uint32_t done, std::uint32_t total)>;
  Result<void> prefill(std::span<const TokenId> ids, std::stop_token stop = {},
                       const ProgressCallback& progress = {}, Capture* capture = nullptr);
  // At most this many tokens a chunk of prefill (default: what suits the device).
  void setPrefillChunk(std::uint32_t tokens);

  // Samples and appends up to `count` tokens. `on_token` sees each in order and returns false to stop after
  // it. Ends early at an id of `stop_ids` (which stays in the sequence), when the context is full, or on
  // `stop`.
  using TokenCallback = std::function<bool(TokenId)>;
  Result<StopReason> decode(std::uint32_t count, const SamplingSettings& sampling,
                            std::span<const TokenId> stop_ids, const TokenCallback& on_token,
                            std::stop_token stop = {}, DecodeTimings* timings = nullptr);

  // Multiplies what an adapter (of the model's spec) adds to the tokens read from now on; those in the cache
  // and the logits after them stay as they are. kInvalidArgument where there is no such adapter, where it was
  // merged into the weights, or for a scale that is not finite.
  Result<void> setAdapterScale(std::uint32_t adapter, float scale);
  std::span<const float> adapterScales() const;  // (adapters)

  // Forgets every token from `length` on. The logits are gone unless nothing was forgotten: the next prefill
  // or decode brings them back (decode reads the last kept token again).
  Result<void> truncate(std::uint32_t length);

  Result<std::vector<float>> logits();  // (vocab) after the last token; reads it again if need be
  // Of a layer with a map.
  AttentionRecord record(std::uint32_t layer) const;
  // Brings lse and summary of a layer's implied map, or of all layers', up to the newest token: they are not
  // kept in step with the sequence, so that a map costs next to nothing while nobody looks at it.
  Result<void> sumImplied(std::optional<std::uint32_t> layer) const;
  std::optional<StateRecord> state(std::uint32_t layer) const;      // nothing where a layer has none
  std::optional<DecayRecord> decays(std::uint32_t layer) const;     // as above, or without probes
  std::optional<RoutingRecord> routing(std::uint32_t layer) const;  // as above, or without probes
  std::uint32_t queryStep() const;  // every so many queries are kept for the views
  // Another number, in the whole process, whenever tokens were forgotten: what was summed over the cache
  // holds while it stays the same.
  std::uint64_t revision() const;

  // Keeps what the spectra of hidden states need of every token that is read from now on
  // (core/engine/hidden_stream.h), or, with nothing, frees it. kOutOfMemory: nothing is kept.
  Result<void> followHidden(const std::optional<HiddenStreamOptions>& options);
  HiddenStream* hidden() const;  // null where they are not followed
  // Reads all tokens once more, so that what is kept of tokens covers them. When it fails or is cancelled
  // (kCancelled) the sequence stays all the same.
  Result<void> readAgain(std::stop_token stop = {}, const ProgressCallback& progress = {});

 private:
  Session();
  Result<void> ensureLogits(std::stop_token stop);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What a session would take on the device, in bytes; `token` is what the cache grows by with each token of
// context.
struct SessionMemory {
  std::uint64_t cache = 0, scratch = 0, token = 0;
};
std::uint32_t defaultContext(const ModelSpec& spec);  // the model's own, at most 4,096
SessionMemory sessionMemory(const ModelSpec& spec, const SessionOptions& options);

}  // namespace vitrine::core
