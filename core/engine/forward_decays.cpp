#include "core/engine/forward_decays.h"

#include "core/engine/decay_memory.h"
#include "mixers/decay_store.params.h"

namespace vitrine::core {
namespace {

// Of a mean's workgroup: a lone subgroup would take long over a state of many channels.
std::uint32_t meanSubgroups(std::uint32_t decays, const Kernels& kernels) {
  constexpr std::uint32_t kFew = 512, kMany = 16;
  return kernels.device().info().software || decays <= kFew ? kPlainSubgroups : kMany;
}

}  // namespace

Result<void> Forward::storeDecays(const Pass& pass, const DecayCall& call) {
  const gpu::Buffer& to = buffers_.layers[pass.layer].decays;
  if (!to || !pass.shown) return {};
  const BlockSpec& block = model_.spec().blocks[pass.layer];
  const auto all = static_cast<std::uint32_t>(floatsOf(decaysOf(block)));
  const auto kept = static_cast<std::uint32_t>(floatsOf(keptDecays(block, options_)));
  const bool mean = kept < all;
  const std::uint32_t heads = mean ? kept : 1;
  const std::uint32_t subgroups = mean ? meanSubgroups(all / kept, kernels_) : kPlainSubgroups;
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("mixers/decay_store", subgroups,
                          {{0, static_cast<std::uint32_t>(call.rule)}, {1, mean}, {2, subgroups}}));
  const shader::DecayStoreParams params{
      .state = buffers_.state.address(),
      .x = call.x ? call.x.address() : 0,
      .rate = call.rate,
      .bias = call.bias,
      .decays = to.address(),
      .tokens = pass.tokens,
      .heads = heads,
      .columns = all / heads / call.shared_by,
      .shared_by = call.shared_by,
      .stride = call.x.stride,
      .scale = call.scale,
      .least = call.least,
      .most = call.most,
  };
  gpu::Access access{.reads = {buffers_.state}, .writes = {to}};
  if (call.x) access.reads.push_back(call.x.rows);
  pass.commands.dispatch(*kernel, {mean ? heads : gpu::divideUp(all, kernels_.lanes()), pass.tokens}, params,
                         access);
  return {};
}

}  // namespace vitrine::core
