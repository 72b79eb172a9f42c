// What a session leaves behind for views and traces.
#include "core/engine/decay_memory.h"
#include "core/engine/session_impl.h"

namespace vitrine::core {

std::uint32_t Session::queryStep() const {
  return impl_->buffers.q_step;
}

std::optional<StateRecord> Session::state(std::uint32_t layer) const {
  const BlockSpec& block = model().spec().blocks[layer];
  const auto shown = shownMixer(block);
  if (!shown) return std::nullopt;
  std::vector<std::uint64_t> shape = memoryOf(block.mixers[*shown]).shown;
  const gpu::Buffer& buffer = impl_->buffers.layers[layer].mixer_states[*shown];
  return StateRecord{{buffer, 0, floatsOf(shape) * sizeof(float)}, std::move(shape)};
}

std::optional<DecayRecord> Session::decays(std::uint32_t layer) const {
  const gpu::Buffer& values = impl_->buffers.layers[layer].decays;
  if (!values) return std::nullopt;
  std::vector<std::uint64_t> shape = keptDecays(model().spec().blocks[layer], options());
  return DecayRecord{{values, 0, context() * floatsOf(shape) * sizeof(float)}, std::move(shape)};
}

std::optional<RoutingRecord> Session::routing(std::uint32_t layer) const {
  const gpu::Buffer& choices = impl_->buffers.layers[layer].routing;
  if (!choices) return std::nullopt;
  const MoeSpec& moe = *moeOf(model().spec().blocks[layer]);
  return RoutingRecord{choices, static_cast<std::uint32_t>(moe.experts.size()), moe.router.top_k};
}

AttentionRecord Session::record(std::uint32_t layer) const {
  const LayerBuffers& buffers = impl_->buffers.layers[layer];
  AttentionRecord record{
      .k = buffers.k, .v = {}, .q_store = {}, .lse = buffers.lse, .summary = {}, .terms = {}};
  if (buffers.v) record.v = buffers.v;
  if (buffers.terms) record.terms = buffers.terms;
  if (buffers.q_store) {
    record.q_store = buffers.q_store;
    record.summary = buffers.summary;
    record.q_step = impl_->buffers.q_step;
    record.q_rows = impl_->buffers.q_rows;
  }
  const AttentionSpec* spec = impl_->model->attention(layer);
  for (const MixerWeights& mixer : impl_->model->block(layer).mixers)
    if (const auto* weights = std::get_if<AttentionWeights>(&mixer); weights && !spec->alibi_slopes.empty())
      record.slopes = weights->head_terms.address();
  return record;
}

}  // namespace vitrine::core
