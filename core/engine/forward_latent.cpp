// Latent attention: queries in the latent's space and the token's row of the cache before the attention, the
// heads' values after it. What lies between is that of one kv head.
#include "core/engine/forward.h"
#include "core/engine/mixer_memory.h"
#include "engine/head_product.params.h"
#include "engine/latent_scatter.params.h"

namespace vitrine::core {
namespace {

std::uint32_t rotaryOf(const AttentionSpec& spec) {
  return spec.head_dim - spec.latent->rank;
}

}  // namespace

// One matrix of each head, in turn, times the head's columns of x.
struct Forward::HeadProduct {
  const Matrix& matrix;
  std::uint32_t heads = 0;
  Columns x;
  const gpu::Buffer* to = nullptr;  // rows of y_stride; null: the queries, from dimension `first` on
  std::uint32_t y_stride = 0, first = 0;
};

Result<void> Forward::headProduct(const Pass& pass, const HeadProduct& call) {
  const PackedLayout& layout = call.matrix.layout;
  const MatmulShape shape = matmulShape(kernels_.device().info(), pass.tokens);
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/head_product", shape.subgroups,
                                                     {{0, static_cast<std::uint32_t>(layout.format)},
                                                      {1, shape.rows},
                                                      {2, shape.tokens},
                                                      {3, call.to == nullptr},
                                                      {7, options_.cache == CacheType::kF16},
                                                      {8, shape.depth}}));
  const LayerBuffers& buffers = buffers_.layers[pass.layer];
  const gpu::Slice low = call.matrix.low(), high = call.matrix.high(), scale = call.matrix.scale();
  const auto rows = static_cast<std::uint32_t>(layout.rows / call.heads);
  const shader::HeadProductParams params{
      .low = low.address(),
      .high = high.address(),
      .scales = scale.address(),
      .x = call.x.rows.address(),
      .y = call.to ? call.to->address() : 0,
      .aux = buffers.qkv_target.address(),
      .rows = rows,
      .chunks_per_row = layout.chunks_per_row,
      .x_stride = call.x.stride,
      .x_first = call.x.first,
      .x_head = static_cast<std::uint32_t>(layout.columns),
      .y_stride = call.y_stride,
      .tokens = pass.tokens,
      .heads = call.heads,
      .first = call.first,
  };
  std::vector<gpu::Bound> bound;
  if (kernels_.texel()) {
    TRY_ASSIGN(bound, kernels_.planes(call.matrix));
    TRY_ASSIGN(auto x, kernels_.view(call.x.rows, VK_FORMAT_R32G32B32A32_SFLOAT));
    bound.push_back(x);
  }
  gpu::Access access{.reads = {call.x.rows}, .writes = {}};
  if (call.to) {
    access.writes = {*call.to};
  } else {
    access.reads.push_back(buffers_.state);
    access.writes = {buffers_.q};
    if (buffers.q_store) access.writes.push_back(buffers.q_store);
  }
  const std::uint32_t units = call.heads * gpu::divideUp(rows, shape.rows);
  pass.commands.dispatch(*kernel,
                         {gpu::divideUp(units, shape.subgroups), gpu::divideUp(pass.tokens, shape.tokens)},
                         params, access, bound);
  return {};
}

Result<void> Forward::latentQuery(const Pass& pass, const LatentWeights& weights) {
  if (!weights.query_latent)
    return kernels_.matmul(pass.commands, productInto(pass, weights.query, kLatentQuery));
  const LatentWeights::QueryLatent& latent = *weights.query_latent;
  TRY(kernels_.matmul(pass.commands, productInto(pass, latent.down, kLatentOfQuery)));
  const gpu::Slice rows = scratchRows(pass, kLatentOfQuery);
  const std::uint32_t stride = buffers_.scratch_strides[kLatentOfQuery];
  TRY(norm(pass.commands,
           {.norm = &latent.norm,
            .x = rows,
            .y = rows,
            .columns = static_cast<std::uint32_t>(latent.down.layout.rows),
            .stride = stride},
           pass.tokens));
  Pass from = pass;
  from.in = {.x = rows};
  MatmulCall call = productInto(from, weights.query, kLatentQuery);
  call.x_stride = stride;
  return kernels_.matmul(pass.commands, call);
}

Result<void> Forward::latentScatter(const Pass& pass, const AttentionSpec& spec,
                                    const LatentWeights& weights) {
  const LayerBuffers& buffers = buffers_.layers[pass.layer];
  const gpu::Slice query = scratchRows(pass, kLatentQuery), key = scratchRows(pass, kLatentKey);
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/latent_scatter", kPlainSubgroups,
                                                     {{7, options_.cache == CacheType::kF16}}));
  const shader::LatentScatterParams params{
      .query = query.address(),
      .key = key.address(),
      .gain = weights.norm.gain.address(),
      .aux = buffers.qkv_target.address(),
      .tokens = pass.tokens,
      .heads = spec.heads,
      .rank = spec.latent->rank,
      .rotary = rotaryOf(spec),
      .query_stride = buffers_.scratch_strides[kLatentQuery],
      .key_stride = buffers_.scratch_strides[kLatentKey],
      .epsilon = weights.norm.epsilon,
  };
  gpu::Access access{.reads = {query, key, buffers_.state}, .writes = {buffers_.q, buffers.k}};
  if (buffers.q_store) access.writes.push_back(buffers.q_store);
  pass.commands.dispatch(*kernel, {pass.tokens * (spec.heads + 1)}, params, access);
  return {};
}

Result<void> Forward::latentQkv(const Pass& pass, const AttentionSpec& spec, const LatentWeights& weights) {
  TRY(latentQuery(pass, weights));
  TRY(kernels_.matmul(pass.commands, productInto(pass, weights.key, kLatentKey)));
  TRY(latentScatter(pass, spec, weights));
  return headProduct(pass, {.matrix = weights.key_up,
                            .heads = spec.heads,
                            .x = scratchColumns(pass, kLatentQuery, spec.heads * rotaryOf(spec)),
                            .first = rotaryOf(spec)});
}

Result<void> Forward::latentOutput(const Pass& pass, const AttentionSpec& spec,
                                   const AttentionWeights& weights) {
  const gpu::Buffer& values = buffers_.scratch[kLatentValues];
  const std::uint32_t stride = buffers_.scratch_strides[kLatentValues];
  TRY(headProduct(pass, {.matrix = weights.latent->value_up,
                         .heads = spec.heads,
                         .x = {rowsOf(buffers_.o, 0, pass.tokens, buffers_.o_stride), buffers_.o_stride},
                         .to = &values,
                         .y_stride = stride}));
  return project(pass, weights.output, values, stride);
}

}  // namespace vitrine::core
