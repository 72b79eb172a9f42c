#include "core/engine/mixer_views.h"

#include <algorithm>

#include "gpu/commands.h"
#include "views/state_norms.params.h"

namespace vitrine::core {
namespace {

// A state of matrices has one for each head; others are one whole.
std::uint64_t headsOf(const StateRecord& state) {
  constexpr std::size_t kMatrices = 3;  // dimensions
  return state.shape.size() == kMatrices ? state.shape.front() : 1;
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
  std::uint64_t floats = 0;
  for (std::uint32_t layer = 0; layer < session.model().layers(); ++layer)
    if (auto record = session.state(layer)) {
      picture.layers.push_back({.layer = layer, .shape = record->shape, .norms = {}});
      floats += headsOf(*record);
      records.push_back(std::move(*record));
    }
  if (records.empty() || session.length() == 0) return picture;
  TRY(reserve(floats * sizeof(float)));
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("views/state_norms", 1));
  TRY(commands_.begin());
  commands_.mark("begin");
  std::uint64_t at = 0;
  for (const StateRecord& record : records) {
    const std::uint64_t heads = headsOf(record);
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
  commands_.copy({norms_, 0, at}, {host_, 0, at});
  TRY(finish());
  auto norm = host_.mappedAs<float>().begin();
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto heads = static_cast<std::ptrdiff_t>(headsOf(records[i]));
    picture.layers[i].norms.assign(norm, norm + heads);
    norm += heads;
  }
  return picture;
}

}  // namespace vitrine::core
