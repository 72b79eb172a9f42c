// What a session leaves behind for views and traces.
#include <algorithm>

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

void Session::Impl::forgetSums(std::uint32_t from) {
  for (std::uint32_t& rows : summed) rows = std::min(rows, from);
}

Result<void> Session::sumImplied(std::optional<std::uint32_t> only) const {
  Impl& impl = *impl_;
  if (!impl.forward->keepsQueries()) return {};
  gpu::Commands& commands = impl.sum_commands;
  for (std::uint32_t layer = only.value_or(0); layer < (only ? *only + 1 : impl.layers()); ++layer) {
    std::uint32_t& summed = impl.summed[layer];
    if (!impl.buffers.layers[layer].terms || summed >= length()) continue;
    // A layer at a time: all of a long sequence at once might take longer than a device is given.
    TRY(commands.begin());
    for (std::uint32_t first = summed; first < length(); first += kMaxBatch)
      TRY(impl.forward->sumImplied(commands, layer, first, std::min(kMaxBatch, length() - first)));
    TRY(commands.end());
    TRY(commands.submitAndWait());
    summed = length();
  }
  return {};
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
