// Plain values that travel between a view and the engine: requests in, snapshots out.
// Conventions: layer, head, query and key count from 0; a map has queries downwards and keys to the right;
// probabilities are exp(scale * q.k - lse), natural logarithm; entropies in bits; times in milliseconds;
// sizes in bytes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/adapter/adapter_choice.h"
#include "core/tensor/dtype.h"
#include "core/text/tokenizer.h"
#include "gpu/device.h"
#include "gpu/error.h"
#include "gpu/image.h"

namespace vitrine::core {

enum class CacheType { kF16, kF32 };

struct LoadOptions {
  std::uint32_t context = 0;  // tokens of cache; 0: the model's context length, at most 4,096
  CacheType cache = CacheType::kF16;
  std::vector<AdapterChoice> adapters = {};
  bool merge_adapters = false;  // into the weights: their scales cannot change afterwards
};

struct SamplingSettings {
  float temperature = 0.0f;  // 0: greedy
  std::uint32_t top_k = 0;   // 0: off
  float top_p = 1.0f;        // 1: off
  float min_p = 0.0f;        // 0: off; relative to the most probable token
  std::uint64_t seed = 0;    // the same seed gives the same tokens
  bool operator==(const SamplingSettings&) const = default;
};

enum class StopReason { kNone, kEndOfText, kLength, kUser, kContextFull };
std::string_view name(StopReason reason);  // "end of text", "length" .. as `generate --json` prints them

struct TensorSummary {
  std::string name, dtype, shape;  // "blk.3.attn_q.weight", "Q4_1", "576 × 576"
  std::uint64_t elements = 0, bytes = 0;
  int layer = -1;  // -1: embedding, final norm, head
};

struct LayerSummary {
  std::string mixer;           // "attention", "mamba2", "attention + mamba2"; empty where a layer has none
  std::uint32_t heads = 0;     // of its map, attention's or an implied one; 0: it has none
  std::uint32_t kv_heads = 0;  // keys of a token, each shared by heads / kv_heads heads
  bool implied = false;        // the map is |w| of a recurrent mixer, see core/model/map_source.h
  std::string no_map = {};     // why there is none, as a sentence
  // Of attention's cache, 0 where it keeps none: width of a kv head's row, of it a latent's.
  std::uint32_t row_width = 0, latent = 0;
  std::uint32_t window = 0;                        // tokens that a query sees; 0: all
  std::uint64_t token_bytes = 0, state_bytes = 0;  // of the cache, a token; of what is carried on
};

struct AdapterSummary {
  std::string name;
  std::filesystem::path folder;
  std::uint32_t rank = 0, modules = 0;  // modules: linears that it adds to
  double alpha = 0;
  float scale = 1;  // as it was loaded; Snapshot::adapter_scales says what it is now
  bool merged = false;
  std::uint64_t parameters = 0;
};

struct ModelSummary {
  std::filesystem::path path;
  std::string name, architecture, dtype, tokenizer;  // dtype: of most weights
  std::uint64_t parameters = 0, weight_bytes = 0, cache_bytes = 0, scratch_bytes = 0;
  std::uint64_t cache_token_bytes = 0;                            // of cache_bytes, for each token of context
  std::uint32_t layers = 0, heads = 0;                            // heads: the most maps of any layer
  std::uint32_t attention_heads = 0, kv_heads = 0, head_dim = 0;  // of attention, the most of any layer
  std::uint32_t latent_rank = 0;                                  // of head_dim, with latent attention
  std::uint32_t embedding = 0, vocab = 0, context_length = 0, session_context = 0;
  std::vector<LayerSummary> layer_kinds;  // (layers)
  std::vector<TensorSummary> tensors;
  std::vector<AdapterSummary> adapters;  // in the order in which they were given

  bool hasMap(std::uint32_t layer, std::uint32_t head) const {
    return layer < layer_kinds.size() && head < layer_kinds[layer].heads;
  }
  // The recurrent mixer that implies a layer's map; empty where it is an attention's, or there is none.
  std::string impliedBy(std::uint32_t layer) const {
    return layer < layer_kinds.size() && layer_kinds[layer].implied ? layer_kinds[layer].mixer : "";
  }
  // Whose keys a head has, where several share them.
  std::optional<std::uint32_t> sharedKeys(std::uint32_t layer, std::uint32_t head) const {
    if (!hasMap(layer, head)) return std::nullopt;
    const LayerSummary& kind = layer_kinds[layer];
    if (kind.kv_heads == 0 || kind.kv_heads >= kind.heads) return std::nullopt;
    return head / (kind.heads / kind.kv_heads);
  }
};

struct Token {
  TokenId id = 0;
  std::string display;  // as drawn in the strip: "·the", "⏎", "⟨E2⟩"
  bool prompt = true;   // false: generated
};

enum class Pooling { kMax, kMean };

// Attention probabilities of one head over a part of the map, at the resolution of the screen.
struct MapRequest {
  std::uint32_t layer = 0, head = 0;
  double query0 = 0, query1 = 0, key0 = 0, key1 = 0;  // visible region in cells, fractional, half open
  std::uint32_t width = 0, height = 0;                // pixels
  Pooling pooling = Pooling::kMax;                    // when several cells share a pixel
  bool operator==(const MapRequest&) const = default;
};

struct OverviewRequest {  // every head as a thumbnail of tile x tile pixels
  std::uint32_t tile = 32;
  Pooling pooling = Pooling::kMax;
  bool operator==(const OverviewRequest&) const = default;
};

struct RowRequest {  // all keys of one query of one head, exact
  std::uint32_t layer = 0, head = 0, query = 0;
  bool operator==(const RowRequest&) const = default;
};

// Singular values of what the sequence has left in the model: of every layer's hidden states, or of the keys
// or values of every layer's kv heads.
enum class SpectraOf { kActivations, kKeys, kValues };
struct SpectraRequest {
  SpectraOf of = SpectraOf::kKeys;
  std::uint32_t window = 0;  // of the last tokens; 0: of all. Of activations at most kMostWindow
  // At so many lengths since the last picture (or the sequence's beginning) too; of activations only those of
  // streams that are exact and still in their ring (core/engine/hidden_stream.h).
  std::uint32_t earlier = 0;
  bool operator==(const SpectraRequest&) const = default;
};
inline constexpr std::uint32_t kMostWindow = 256;

// What the open views want to see. What is not asked for costs nothing.
struct ProbeRequest {
  std::optional<OverviewRequest> overview;
  std::optional<MapRequest> map;
  std::optional<RowRequest> row;
  std::optional<SpectraRequest> spectra;
  bool routing = false, states = false;
  bool operator==(const ProbeRequest&) const = default;
};

// Pixels hold probabilities as R32_SFLOAT; -1 marks masked pixels (no visible key). The image is complete
// once the device timeline has reached `ready`, and is never written again while somebody holds the pointer.
struct MapPicture {
  std::shared_ptr<const gpu::Image> image;
  std::uint64_t ready = 0;
  MapRequest request;        // what this picture shows
  std::uint32_t tokens = 0;  // length of the sequence when it was drawn
  // Of the whole head, not only of the visible part:
  std::vector<float> received =
      {};  // (tokens) mean probability that a key receives from the queries that see it
  std::vector<float> entropy = {};  // (tokens) bits, a query
  std::vector<std::uint32_t> histogram =
      {};  // 64 bins of log10(probability) from -8 to 0 over the visible pixels
};

// Atlas of thumbnails: tile (layer, head) starts at pixel (head * tile, layer * tile); values as in
// MapPicture.
struct OverviewPicture {
  std::shared_ptr<const gpu::Image> image;
  std::uint64_t ready = 0;
  OverviewRequest request;
  std::uint32_t tokens = 0, layers = 0, heads = 0;
};

struct RowValues {
  RowRequest request;
  std::vector<float> probability;  // (tokens), 0 beyond the query; masked keys are -1
  float lse = 0;                   // natural log-sum-exp of the scaled scores
};

// Means over all queries of the sequence so far.
struct HeadSummary {
  float entropy = 0;     // bits
  float first_mass = 0;  // on the first token
  float local_mass = 0;  // on the last 8 keys, the query's own included
  float previous = 0;    // on the token just before the query
  float induction =
      0;  // on the token after an earlier occurrence of the query's token; NaN when nothing repeats
};

// The experts that every token of the sequence went to.
struct LayerRouting {
  std::uint32_t layer = 0, experts = 0, top_k = 0;
  std::vector<std::uint32_t> chosen;  // (tokens, top_k), best first
  std::vector<float> weights;         // (tokens, top_k), of the sum of their outputs
};
struct RoutingPicture {
  std::uint32_t tokens = 0;
  std::vector<LayerRouting> layers;  // those with a router
};

// What recurrent mixers carry after the newest token.
struct LayerState {
  std::uint32_t layer = 0;
  std::vector<std::uint64_t> shape;  // as StateRecord's
  std::vector<float> norms;          // Frobenius: of each head's matrix, or of the whole
  // By which factor in [0, 1] the newest step has kept each, the mean over its decays, and the shape of all
  // decays of a step: (heads), (heads, keys), (channels) or (channels, state). Empty where nothing decays.
  std::vector<float> decays = {};
  std::vector<std::uint64_t> decay_shape = {};
};
struct StatePicture {
  std::uint32_t tokens = 0;
  std::vector<LayerState> layers;  // those with a state
};

// Of the rows of one layer, or of one of its kv heads.
struct StreamSpectrum {
  std::vector<float> sigma;                       // descending: as many as there are rows or columns
  double stable_rank = 0, effective_rank = 0;     // core/spectra/metrics.h
  std::array<std::uint32_t, 3> energy_rank = {};  // kEnergyShares; 0: more than are known
  // Of long streams of wide rows there is a truncated sketch only: its first values, each s of which may
  // stand for one up to sqrt(s^2 + slack), and an effective rank that is at least this.
  bool sketch = false;
  double slack = 0;
  std::string refused = {};  // why there are no values: which element is not finite
};
struct LayerSpectra {
  // Of activations 0 is the embedding's output, l what block l - 1 leaves and the last one behind the final
  // norm.
  std::uint32_t layer = 0;
  std::uint32_t first = 0, end = 0;   // positions of the rows
  std::uint32_t width = 0;            // of a row
  std::vector<StreamSpectrum> heads;  // one of activations; none where a layer keeps no keys or values
  std::string none = {};              // why, then
};
struct SpectraPicture {
  SpectraRequest request;
  std::uint32_t tokens = 0;  // length of the sequence
  // Of another sequence it is another one: where tokens were forgotten, or hidden states are followed anew.
  std::array<std::uint64_t, 2> stream = {};
  std::vector<LayerSpectra> layers;
  std::vector<SpectraPicture> earlier = {};  // of shorter lengths, the shortest first
};

struct NextToken {
  TokenId id = 0;
  std::string display;
  float probability = 0;  // softmax of the raw logits, before temperature and filters
};

enum class EngineState { kEmpty, kLoading, kReady, kPrefilling, kGenerating };

struct EngineTimings {
  double tokens_per_s = 0;      // of the running or last generation, wall clock
  double gpu_ms_per_token = 0;  // GPU time of the newest decode steps
  double probe_ms = 0;          // GPU time that the views' pictures took on the last update
  double prefill_tokens_per_s = 0;
};

// An immutable picture of the engine. `sequence` grows with each one that is published.
struct Snapshot {
  std::uint64_t sequence = 0;
  EngineState state = EngineState::kEmpty;
  std::string
      activity;  // "Loading weights", "Reading the prompt": what a progress line says; empty when idle
  std::uint64_t progress_done = 0, progress_total = 0;  // bytes while loading, tokens while prefilling
  std::optional<Error> error;           // of the last request that failed; cleared by the next that succeeds
  StopReason stop = StopReason::kNone;  // why the last generation ended

  std::shared_ptr<const ModelSummary> model;         // null: none loaded
  std::vector<float> adapter_scales;                 // of its adapters, as they are now
  std::shared_ptr<const Tokenizer> tokenizer;        // of that model
  std::shared_ptr<const std::vector<Token>> tokens;  // prompt and continuation as far as the cache holds them
  std::vector<NextToken> next;                       // the five most probable next tokens

  std::shared_ptr<const MapPicture> map;  // newest complete ones; may lag behind the request
  std::shared_ptr<const OverviewPicture> overview;
  std::shared_ptr<const RowValues> row;
  std::shared_ptr<const std::vector<HeadSummary>> heads;  // (layers * heads), layer-major
  std::shared_ptr<const RoutingPicture> routing;
  std::shared_ptr<const StatePicture> states;
  std::shared_ptr<const SpectraPicture> spectra;

  EngineTimings timings;
  gpu::MemoryUsage memory;
};

struct GenerateRequest {
  std::string prompt;  // replaces the sequence when it is not a continuation of it
  std::uint32_t max_tokens = 256;
  SamplingSettings sampling;
  double tokens_per_s_limit = 0;  // 0: as fast as the device; otherwise a pace at which one can watch
};

}  // namespace vitrine::core
