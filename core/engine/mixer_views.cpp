#include "core/engine/mixer_views.h"

#include <numeric>

#include "core/engine/decay_memory.h"
#include "gpu/commands.h"
#include "views/state_norms.params.h"

namespace vitrine::core {
namespace {

// Of the newest token.
gpu::Slice newestDecays(const Session& session, const DecayRecord& record) {
  const std::uint64_t bytes = floatsOf(record.shape) * sizeof(float);
  return {*record.values.buffer, record.values.offset + (session.length() - 1) * bytes, bytes};
}

// Each the mean over as many numbers, if there are more than are wanted.
std::vector<float> meansOf(std::span<const float> values, std::size_t count) {
  const std::size_t each = values.size() / count;
  std::vector<float> means;
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = values.subspan(i * each, each);
    means.push_back(std::accumulate(part.begin(), part.end(), 0.0f) / static_cast<float>(each));
  }
  return means;
}

}  // namespace

Result<std::unique_ptr<MixerViews>> MixerViews::create(gpu::Device& device) {
  std::unique_ptr<MixerViews> views(new MixerViews(device));
  TRY_ASSIGN(views->commands_, gpu::Commands::create(device, "routing and states"));
  return views;
}

Result<void> MixerViews::reserve(std::uint64_t bytes) {
  if (host_ && host_.size() >= bytes) return {};
  TRY_ASSIGN(norms_, gpu::Buffer::create(device_, bytes, gpu::MemoryKind::kDevice, "norms of states"));
  TRY_ASSIGN(host_, gpu::Buffer::create(device_, bytes, gpu::MemoryKind::kReadback, "mixers' values, host"));
  return {};
}

Result<void> MixerViews::finish() {
  commands_.mark("end");
  commands_.hostBarrier();
  TRY(commands_.end());
  TRY(commands_.submitAndWait());
  TRY_ASSIGN(const auto marks, commands_.marks());
  gpu_ms_ = marks.empty() ? 0 : marks.back().ms;
  return {};
}

Result<RoutingPicture> MixerViews::routing(const Session& session) {
  const std::uint32_t tokens = session.length();
  RoutingPicture picture{.tokens = tokens, .layers = {}};
  std::vector<gpu::Slice> stored;
  std::uint64_t bytes = 0;
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer)
    if (const auto record = session.routing(layer)) {
      picture.layers.push_back(
          {.layer = layer, .experts = record->experts, .top_k = record->top_k, .chosen = {}, .weights = {}});
      gpu::Slice part = record->choices;
      part.bytes = std::uint64_t{tokens} * record->top_k * 2 * sizeof(float);
      bytes += part.bytes;
      stored.push_back(part);
    }
  if (stored.empty() || tokens == 0) return picture;
  TRY(reserve(bytes));
  TRY(commands_.begin());
  commands_.mark("begin");
  std::uint64_t at = 0;
  for (const gpu::Slice& part : stored) {
    commands_.copy(part, {host_, at, part.bytes});
    at += part.bytes;
  }
  TRY(finish());
  const auto ids = host_.mappedAs<std::uint32_t>();
  const auto weights = host_.mappedAs<float>();
  std::size_t word = 0;
  for (LayerRouting& layer : picture.layers)
    for (std::uint32_t i = 0; i < tokens * layer.top_k; ++i, word += 2) {
      layer.chosen.push_back(ids[word]);
      layer.weights.push_back(weights[word + 1]);
    }
  return picture;
}

Result<StatePicture> MixerViews::states(const Session& session) {
  StatePicture picture{.tokens = session.length(), .layers = {}};
  std::vector<StateRecord> records;
  std::vector<gpu::Slice> decays;  // empty ones where there are none
  std::uint64_t norms = 0, bytes = 0;
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer)
    if (auto record = session.state(layer)) {
      picture.layers.push_back({.layer = layer, .shape = record->shape, .norms = {}});
      norms += stateHeads(record->shape) * sizeof(float);
      records.push_back(std::move(*record));
      const auto kept = session.decays(layer);
      decays.push_back(kept && session.length() > 0 ? newestDecays(session, *kept) : gpu::Slice());
      bytes += decays.back().bytes;
    }
  if (records.empty() || session.length() == 0) return picture;
  TRY(reserve(norms + bytes));
  TRY(commands_.begin());
  commands_.mark("begin");
  TRY(recordNorms(records));
  commands_.copy({norms_, 0, norms}, {host_, 0, norms});
  std::uint64_t at = norms;
  for (const gpu::Slice& part : decays) {
    if (part) commands_.copy(part, {host_, at, part.bytes});
    at += part.bytes;
  }
  TRY(finish());
  auto norm = host_.mappedAs<float>();
  auto decay = norm.subspan(norms / sizeof(float));
  for (std::size_t i = 0; i < records.size(); ++i) {
    LayerState& layer = picture.layers[i];
    const std::size_t heads = stateHeads(layer.shape), numbers = decays[i].bytes / sizeof(float);
    layer.norms.assign(norm.begin(), norm.begin() + static_cast<std::ptrdiff_t>(heads));
    norm = norm.subspan(heads);
    if (numbers == 0) continue;
    layer.decays = meansOf(decay.first(numbers), heads);
    layer.decay_shape = decaysOf(session.model().spec().blocks[layer.layer]);
    decay = decay.subspan(numbers);
  }
  return picture;
}

// Of every head, one behind the other into norms_.
Result<void> MixerViews::recordNorms(std::span<const StateRecord> records) {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("views/state_norms", 1));
  std::uint64_t at = 0;
  for (const StateRecord& record : records) {
    const std::uint64_t heads = stateHeads(record.shape);
    const gpu::Slice to(norms_, at, heads * sizeof(float));
    const shader::StateNormsParams params{
        .state = record.values.address(),
        .norms = to.address(),
        .floats = static_cast<std::uint32_t>(record.values.bytes / sizeof(float) / heads),
    };
    commands_.dispatch(*kernel, {static_cast<std::uint32_t>(heads)}, params,
                       {.reads = {record.values}, .writes = {to}});
    at += to.bytes;
  }
  return {};
}

}  // namespace vitrine::core
