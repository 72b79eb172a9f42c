#include "core/engine/router_capture.h"

#include <algorithm>

#include "core/engine/mixer_memory.h"

namespace vitrine::core {

Result<RouterRecorder> RouterRecorder::create(const Model& model, const SessionBuffers& buffers,
                                              std::uint32_t batch) {
  RouterRecorder recorder(buffers);
  std::uint64_t bytes = 0;
  const auto reserve = [&](std::uint64_t floats) {
    return std::exchange(bytes, bytes + batch * floats * sizeof(float));
  };
  for (std::uint32_t layer = 0; layer < model.layers(); ++layer) {
    const MoeSpec* spec = moeOf(model.spec().blocks[layer]);
    if (!spec) continue;
    Place place{.shape = {.layer = layer,
                          .experts = static_cast<std::uint32_t>(spec->experts.size()),
                          .top_k = spec->router.top_k,
                          .logits = {},
                          .chosen = {},
                          .weights = {}}};
    place.logits = reserve(buffers.scratch_strides[kMoeLogits]);
    place.chosen = reserve(spec->router.top_k);
    place.weights = reserve(spec->router.top_k);
    recorder.places_.push_back(std::move(place));
  }
  TRY_ASSIGN(recorder.captured_, gpu::Buffer::create(model.device(), std::max<std::uint64_t>(bytes, 16),
                                                     gpu::MemoryKind::kReadback, "captured routers"));
  return recorder;
}

void RouterRecorder::record(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens) {
  const auto place = std::ranges::find(places_, layer, [](const Place& p) { return p.shape.layer; });
  if (place == places_.end()) return;
  const auto copy = [&](MoeScratch from, std::uint64_t to, std::uint64_t floats) {
    const std::uint64_t bytes = tokens * floats * sizeof(float);
    commands.copy({buffers_->scratch[from], 0, bytes}, {captured_, to, bytes});
  };
  copy(kMoeLogits, place->logits, buffers_->scratch_strides[kMoeLogits]);
  copy(kMoeChosen, place->chosen, place->shape.top_k);
  copy(kMoeWeights, place->weights, place->shape.top_k);
}

void RouterRecorder::read(std::uint32_t tokens, Capture& capture) const {
  if (capture.routers.empty())
    for (const Place& place : places_) capture.routers.push_back(place.shape);
  const auto floats = captured_.mappedAs<float>();
  const auto ids = captured_.mappedAs<std::int32_t>();
  const std::size_t stride = places_.empty() ? 0 : buffers_->scratch_strides[kMoeLogits];
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    RouterCapture& to = capture.routers[i];
    for (std::uint32_t token = 0; token < tokens; ++token) {
      const auto row = floats.subspan(place.logits / sizeof(float) + token * stride, to.experts);
      to.logits.insert(to.logits.end(), row.begin(), row.end());
    }
    const std::size_t choices = std::size_t{tokens} * to.top_k;
    const auto chosen = ids.subspan(place.chosen / sizeof(float), choices);
    const auto weights = floats.subspan(place.weights / sizeof(float), choices);
    to.chosen.insert(to.chosen.end(), chosen.begin(), chosen.end());
    to.weights.insert(to.weights.end(), weights.begin(), weights.end());
  }
}

}  // namespace vitrine::core
