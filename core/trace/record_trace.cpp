#include "core/trace/record_trace.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "core/checkpoint/safetensors_writer.h"
#include "core/engine/attention_views.h"
#include "core/engine/decay_memory.h"
#include "core/engine/hidden_stream.h"
#include "core/engine/spectra_views.h"
#include "core/model/map_source.h"
#include "core/model/row_source.h"
#include "core/tensor/dequantize.h"
#include "gpu/commands.h"

namespace vitrine::core {
namespace {

// Owns the values of the tensors until the file is written.
class TraceFile {
 public:
  void add(std::string name, std::vector<std::uint64_t> shape, std::vector<float> values) {
    values_.push_back(std::move(values));
    items_.push_back(safetensorsItem(std::move(name), std::move(shape), values_.back()));
  }
  void add(std::string name, std::vector<std::uint64_t> shape, std::vector<std::int32_t> ids) {
    ids_.push_back(std::move(ids));
    items_.push_back(safetensorsItem(std::move(name), std::move(shape), ids_.back()));
  }
  void addIds(std::span<const TokenId> ids) {
    items_.push_back(safetensorsItem("input_ids", {ids.size()}, std::span<const std::int32_t>(ids)));
  }
  Result<void> write(const std::filesystem::path& path,
                     const std::map<std::string, std::string>& metadata) const {
    return writeSafetensors(path, items_, metadata);
  }

 private:
  std::vector<std::vector<float>> values_;
  std::vector<std::vector<std::int32_t>> ids_;
  std::vector<SafetensorsItem> items_;
};

bool hasDecay(const BlockSpec& block) {
  return !decaysOf(block).empty();
}

bool impliesMap(const BlockSpec& block) {
  const auto source = mapSource(block);
  return source && source->implied;
}

// The maps of attentions, or those that other mixers imply, as `name`.L.
Result<void> addMaps(TraceFile& file, const Session& session, bool implied, std::string_view name) {
  TRY_ASSIGN(auto views, AttentionViews::create(session.model().device()));
  std::uint64_t tokens = session.length();
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer) {
    const auto source = mapSource(session.model().spec().blocks[layer]);
    if (!source || source->implied != implied) continue;
    const std::uint32_t heads = source->heads;
    std::vector<float> maps;
    maps.reserve(heads * tokens * tokens);
    for (std::uint32_t head = 0; head < heads; ++head) {
      TRY_ASSIGN(auto map, views->matrix(session, layer, head));
      std::ranges::transform(map, std::back_inserter(maps), [](float p) { return std::max(p, 0.0f); });
    }
    file.add(fmt::format("{}.{}", name, layer), {heads, tokens, tokens}, std::move(maps));
  }
  return {};
}

// A cache (kv_heads, context, head_dim) as (kv_heads, tokens, head_dim) floats, in the file's order of
// dimensions.
Result<std::vector<float>> readCache(const Session& session, gpu::Slice cache, const AttentionSpec& spec,
                                     const Rope* rope) {
  std::vector<std::byte> bytes(cache.bytes);
  TRY(gpu::download(session.model().device(), cache, bytes));
  bool f16 = session.options().cache == CacheType::kF16;
  std::vector<float> values;
  for (std::uint32_t head = 0; head < spec.kv_heads; ++head)
    for (std::uint32_t token = 0; token < session.length(); ++token)
      for (std::uint32_t dim = 0; dim < spec.head_dim; ++dim) {
        std::uint32_t stored = rope ? pairedIndex(dim, *rope) : dim;
        std::size_t index = (std::size_t(head) * session.context() + token) * spec.head_dim + stored;
        float value;
        if (f16) {
          std::uint16_t half;
          std::memcpy(&half, &bytes[index * 2], 2);
          value = halfToFloat(half);
        } else {
          std::memcpy(&value, &bytes[index * 4], 4);
        }
        values.push_back(value);
      }
  return values;
}

Result<void> addCache(TraceFile& file, const Session& session) {
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer) {
    if (!session.model().attention(layer)) continue;
    const AttentionSpec& spec = *session.model().attention(layer);
    std::vector<std::uint64_t> shape{spec.kv_heads, session.length(), spec.head_dim};
    TRY_ASSIGN(auto keys,
               readCache(session, session.record(layer).k, spec, spec.rope ? &*spec.rope : nullptr));
    file.add(fmt::format("k.{}", layer), shape, std::move(keys));
    if (spec.latent) continue;
    TRY_ASSIGN(auto values, readCache(session, session.record(layer).v, spec, nullptr));
    file.add(fmt::format("v.{}", layer), shape, std::move(values));
  }
  return {};
}

Result<void> addStates(TraceFile& file, const Session& session) {
  bool any = false;
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer) {
    const auto state = session.state(layer);
    if (!state) continue;
    std::vector<float> values(state->values.bytes / sizeof(float));
    TRY(gpu::download(session.model().device(), state->values, std::as_writable_bytes(std::span(values))));
    file.add(fmt::format("state.{}", layer), state->shape, std::move(values));
    any = true;
  }
  if (any) return {};
  return fail(ErrorCode::kUnsupported, "--capture state: no layer of this model carries a state");
}

Result<void> addDecays(TraceFile& file, const Session& session) {
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer) {
    const auto decays = session.decays(layer);
    if (!decays) continue;
    std::vector<std::uint64_t> shape{session.length()};
    shape.insert(shape.end(), decays->shape.begin(), decays->shape.end());
    std::vector<float> values(floatsOf(shape));
    TRY(gpu::download(session.model().device(), {*decays->values.buffer, 0, values.size() * sizeof(float)},
                      std::as_writable_bytes(std::span(values))));
    file.add(fmt::format("decay.{}", layer), std::move(shape), std::move(values));
  }
  return {};
}

// So that all of `tokens` hidden states count, exactly: their products with each other where those are few.
HiddenStreamOptions exactStream(std::uint32_t tokens) {
  constexpr std::uint32_t kFew = 1024;
  if (tokens <= kFew) return {.window = tokens, .widest_exact = 0, .window_only = true};
  return {.widest_exact = std::numeric_limits<std::uint32_t>::max()};
}

Result<void> addSpectra(TraceFile& file, const Session& session) {
  TRY_ASSIGN(auto views, SpectraViews::create(session.model().device()));
  for (const auto& [of, what] : {std::pair{SpectraOf::kActivations, "hidden"},
                                 {SpectraOf::kKeys, "key"},
                                 {SpectraOf::kValues, "value"}}) {
    TRY_ASSIGN(const SpectraPicture picture, views->spectra(session, {.of = of}));
    for (const LayerSpectra& layer : picture.layers) {
      if (layer.heads.empty()) continue;
      std::vector<float> sigma;
      std::uint64_t width = layer.width;
      if (of == SpectraOf::kActivations) width = std::min(layer.width, layer.end - layer.first);
      for (const StreamSpectrum& head : layer.heads) {
        if (!head.refused.empty())
          return fail(ErrorCode::kInvalidFile, "{}_sigma.{}, head {}: {}", what, layer.layer,
                      sigma.size() / width, head.refused);
        sigma.insert(sigma.end(), head.sigma.begin(), head.sigma.end());
        sigma.resize((sigma.size() + width - 1) / width * width);
      }
      std::vector<std::uint64_t> shape{width};
      if (of != SpectraOf::kActivations) shape.insert(shape.begin(), layer.heads.size());
      file.add(fmt::format("{}_sigma.{}", what, layer.layer), std::move(shape), std::move(sigma));
    }
  }
  return {};
}

void addRouter(TraceFile& file, std::uint64_t tokens, RouterCapture router) {
  file.add(fmt::format("router.{}", router.layer), {tokens, router.experts}, std::move(router.logits));
  file.add(fmt::format("experts.{}", router.layer), {tokens, router.top_k}, std::move(router.chosen));
  file.add(fmt::format("expert_weights.{}", router.layer), {tokens, router.top_k}, std::move(router.weights));
}

}  // namespace

Result<TraceOptions> parseCapture(std::string_view list) {
  TraceOptions options{.logits = false,
                       .hidden = false,
                       .attention = false,
                       .kv = false,
                       .router = false,
                       .state = false,
                       .implied = false,
                       .decay = false,
                       .spectra = false};
  std::stringstream words{std::string(list)};
  for (std::string word; std::getline(words, word, ',');) {
    if (word == "logits")
      options.logits = true;
    else if (word == "hidden")
      options.hidden = true;
    else if (word == "attention")
      options.attention = true;
    else if (word == "implied")
      options.implied = true;
    else if (word == "kv")
      options.kv = true;
    else if (word == "router")
      options.router = true;
    else if (word == "state")
      options.state = true;
    else if (word == "decay")
      options.decay = true;
    else if (word == "spectra")
      options.spectra = true;
    else
      return fail(ErrorCode::kInvalidArgument,
                  "--capture: '{}' is not one of logits, hidden, attention, implied, router, kv, state, "
                  "decay, spectra",
                  word);
  }
  return options;
}

Result<void> recordTrace(std::shared_ptr<const Model> model, std::span<const TokenId> ids,
                         const TraceOptions& options, const std::filesystem::path& path,
                         const std::map<std::string, std::string>& metadata) {
  if (ids.empty()) return fail(ErrorCode::kInvalidArgument, "nothing to trace: the prompt has no tokens");
  const bool mixture = std::ranges::any_of(model->spec().blocks, [](const BlockSpec& b) { return moeOf(b); });
  if (options.router && !mixture)
    return fail(ErrorCode::kUnsupported, "--capture router: {} has no mixture of experts",
                model->spec().architecture);
  if (options.implied && std::ranges::none_of(model->spec().blocks, impliesMap))
    return fail(ErrorCode::kUnsupported, "--capture implied: no mixer of {} implies a map",
                model->spec().architecture);
  if (options.decay && std::ranges::none_of(model->spec().blocks, hasDecay))
    return fail(ErrorCode::kUnsupported, "--capture decay: no layer of {} carries a state that decays",
                model->spec().architecture);
  auto tokens = static_cast<std::uint32_t>(ids.size());
  SessionOptions session_options{.context = tokens,
                                 .cache = options.cache,
                                 .probes = options.attention || options.implied || options.decay,
                                 .query_store_bytes = ~0ull >> 1,  // a trace keeps every query
                                 .whole_decays = options.decay};
  TRY_ASSIGN(auto session, Session::create(model, session_options));
  Capture capture{.hidden = options.hidden,
                  .logits = options.logits,
                  .hidden_states = {},
                  .logit_rows = {},
                  .router = options.router};
  if (options.spectra) TRY(session->followHidden(exactStream(tokens)));
  TRY(session->prefill(ids, {}, {}, &capture));
  TraceFile file;
  file.addIds(ids);
  if (options.logits) file.add("logits", {tokens, model->spec().vocab_size}, std::move(capture.logit_rows));
  for (std::size_t layer = 0; layer < capture.hidden_states.size(); ++layer)
    file.add(fmt::format("hidden.{}", layer), {tokens, model->spec().embedding_dim},
             std::move(capture.hidden_states[layer]));
  for (RouterCapture& router : capture.routers) addRouter(file, tokens, std::move(router));
  if (options.attention) TRY(addMaps(file, *session, false, "attention"));
  if (options.implied) TRY(addMaps(file, *session, true, "implied_attention"));
  if (options.kv) TRY(addCache(file, *session));
  if (options.state) TRY(addStates(file, *session));
  if (options.decay) TRY(addDecays(file, *session));
  if (options.spectra) TRY(addSpectra(file, *session));
  return file.write(path, metadata);
}

}  // namespace vitrine::core
