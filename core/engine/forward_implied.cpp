#include "core/engine/forward_implied.h"

#include <numeric>

#include "core/model/map_source.h"
#include "mixers/implied_mass.params.h"
#include "mixers/implied_store.params.h"
#include "mixers/implied_terms.params.h"

namespace vitrine::core {
namespace {

struct MassShape {
  std::uint32_t heads = 1, queries = 1, subgroups = 1;
};

// Heads that share q . k and tokens that share k, as far as registers go. A single token's keys are shared
// out among subgroups; where these would take turns, as many heads as can share the reads.
MassShape massShape(const MapSource& source, std::uint32_t tokens, bool software) {
  const std::uint32_t heads = std::gcd(source.group(), tokens == 1 && software ? 16u : 4u);
  if (tokens == 1) return {heads, 1, software ? 1u : 16u};
  return {heads, 8 / heads, 1};
}

}  // namespace

// Rows whose keys are summed over: their queries, and where they stand.
struct Forward::ImpliedRows {
  gpu::Slice q;
  std::uint64_t address = 0;            // of the first row's first group
  std::uint32_t quad = 0;               // the same in vec4s from the beginning of q
  std::uint32_t stride = 0, group = 0;  // floats from token to token, from group to group
  bool aligned = false;                 // all of these begin on a vec4
  std::uint32_t tokens = 0;
  std::optional<std::uint32_t> first = {};  // position of the first row; nothing: that of the step
};

Result<void> Forward::imply(const Pass& pass, const ImpliedCall& call) {
  if (!buffers_.layers[pass.layer].terms) return {};
  const auto source = mapSource(model_.spec().blocks[pass.layer]);
  VITRINE_ASSERT(source && source->implied);
  TRY(impliedTerms(pass, *source, call));
  TRY(impliedStore(pass, *source, call));
  return keepsQueries() ? Result<void>{} : impliedMass(pass, *source, call);
}

Result<void> Forward::impliedTerms(const Pass& pass, const MapSource& source, const ImpliedCall& call) {
  const LayerBuffers& buffers = buffers_.layers[pass.layer];
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/implied_terms", kPlainSubgroups,
                                                     {{0, static_cast<std::uint32_t>(call.rule)}}));
  const shader::ImpliedTermsParams params{
      .state = buffers_.state.address(),
      .terms = buffers.terms.address(),
      .write = call.write ? call.write.address() : 0,
      .keep = call.keep ? call.keep.address() : 0,
      .decay = call.decay,
      .bias = call.bias,
      .tokens = pass.tokens,
      .heads = source.heads,
      .context = options_.context,
      .write_stride = call.write.stride,
      .keep_stride = call.keep.stride,
      .scale = call.scale,
      .least = call.least,
      .most = call.most,
  };
  gpu::Access access{.reads = {buffers_.state}, .writes = {buffers.terms}};
  for (const Columns* read : {&call.write, &call.keep})
    if (*read) access.reads.push_back(read->rows);
  pass.commands.dispatch(*kernel, {gpu::divideUp(source.heads, kernels_.lanes())}, params, access);
  return {};
}

Result<void> Forward::impliedStore(const Pass& pass, const MapSource& source, const ImpliedCall& call) {
  const LayerBuffers& buffers = buffers_.layers[pass.layer];
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/implied_store", kPlainSubgroups));
  const shader::ImpliedStoreParams params{
      .state = buffers_.state.address(),
      .q = call.q.address(),
      .k = call.k.address(),
      .q_store = buffers.q_store.address(),
      .k_store = buffers.k.address(),
      .tokens = pass.tokens,
      .groups = source.kv_heads,
      .width = source.width,
      .row = source.head_dim,
      .context = options_.context,
      .q_stride = call.q.stride,
      .k_stride = call.k.stride,
      .q_rows = buffers_.q_rows,
      .q_step = buffers_.q_step,
  };
  pass.commands.dispatch(
      *kernel, {pass.tokens * source.kv_heads}, params,
      {.reads = {buffers_.state, call.q.rows, call.k.rows}, .writes = {buffers.q_store, buffers.k}});
  return {};
}

// From q as the step has it.
Result<void> Forward::impliedMass(const Pass& pass, const MapSource& source, const ImpliedCall& call) {
  const bool aligned = call.q.first % 4 == 0 && call.q.stride % 4 == 0 && source.width % 4 == 0;
  return impliedMass(pass.commands, pass.layer,
                     {.q = call.q.rows,
                      .address = call.q.address(),
                      .quad = call.q.first / 4,
                      .stride = call.q.stride,
                      .group = source.width,
                      .aligned = aligned,
                      .tokens = pass.tokens});
}

Result<void> Forward::sumImplied(gpu::Commands& commands, std::uint32_t layer, std::uint32_t first,
                                 std::uint32_t tokens) {
  VITRINE_ASSERT(keepsQueries());
  const gpu::Buffer& stored = buffers_.layers[layer].q_store;
  const std::uint32_t row = mapSource(model_.spec().blocks[layer])->head_dim;  // whole vec4s
  return impliedMass(commands, layer,
                     {.q = stored,
                      .address = stored.address() + std::uint64_t{first} * row * sizeof(float),
                      .quad = first * row / 4,
                      .stride = row,
                      .group = buffers_.q_rows * row,
                      .aligned = true,
                      .tokens = tokens,
                      .first = first});
}

Result<void> Forward::impliedMass(gpu::Commands& commands, std::uint32_t layer, const ImpliedRows& rows) {
  const LayerBuffers& buffers = buffers_.layers[layer];
  const MapSource source = *mapSource(model_.spec().blocks[layer]);
  const MassShape shape = massShape(source, rows.tokens, kernels_.device().info().software);
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("mixers/implied_mass", shape.subgroups,
                                                     {{0, source.width},
                                                      {1, shape.heads},
                                                      {2, shape.queries},
                                                      {3, shape.subgroups},
                                                      {4, rows.aligned}}));
  const shader::ImpliedMassParams params{
      .state = rows.first ? 0 : buffers_.state.address(),
      .q = rows.address,
      .k = buffers.k.address(),
      .terms = buffers.terms.address(),
      .lse = buffers.lse.address(),
      .summary = buffers.summary.address(),
      .tokens = rows.tokens,
      .heads = source.heads,
      .groups = source.kv_heads,
      .context = options_.context,
      .q_stride = rows.stride,
      .q_group = rows.group,
      .q_quad = rows.quad,
      .scale = source.scale,
      .first = rows.first.value_or(0),
  };
  std::vector<gpu::Bound> bound;
  if (kernels_.texel()) {
    TRY_ASSIGN(auto keys, kernels_.view(buffers.k, VK_FORMAT_R32G32B32A32_SFLOAT));
    TRY_ASSIGN(auto queries, kernels_.view(rows.q, VK_FORMAT_R32G32B32A32_SFLOAT));
    bound = {keys, queries};
  }
  commands.dispatch(
      *kernel, {source.heads / shape.heads, gpu::divideUp(rows.tokens, shape.queries)}, params,
      {.reads = {buffers_.state, rows.q, buffers.k, buffers.terms}, .writes = {buffers.lse, buffers.summary}},
      bound);
  return {};
}

}  // namespace vitrine::core
