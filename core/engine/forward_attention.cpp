// Attention: norm + qkv + rope + cache, then softmax(q k) v, then the output's product.
#include "core/engine/forward.h"
#include "engine/attention.params.h"
#include "engine/qkv_scatter.params.h"

namespace vitrine::core {
Result<void> Forward::record(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights) {
  TRY(weights.latent ? latentQkv(pass, spec, *weights.latent) : qkv(pass, spec, weights));
  TRY(attend(pass, spec, weights));
  if (weights.latent) return latentOutput(pass, spec, weights);
  if (weights.gate) {
    MatmulCall gate = product(pass, *weights.gate, buffers_.o, buffers_.o_stride);
    gate.epilogue = Epilogue::kMultiplySigmoid;
    TRY(kernels_.matmul(pass.commands, gate));
  }
  return project(pass, weights.output, buffers_.o, buffers_.o_stride);
}

Result<void> Forward::qkv(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights) {
  const LayerBuffers& buffers = buffers_.layers[pass.layer];
  bool scattered = spec.query_norm || spec.key_norm;
  for (const AttentionWeights::Part& part : weights.qkv) {
    MatmulCall call = product(pass, part.matrix, buffers_.qkv, buffers_.qkv_stride);
    call.aux = buffers.qkv_target.address();
    call.first_row = part.first_row;
    call.cache_f16 = options_.cache == CacheType::kF16;
    if (scattered) {
      call.y = gpu::Slice(buffers_.qkv, part.first_row * 4ull, buffers_.qkv.size() - part.first_row * 4ull);
    } else {
      call.y = {};
      call.epilogue = Epilogue::kQkv;
      call.access.reads = {buffers_.state};
      // Parts write different rows of the same buffers: only the first waits for earlier readers.
      if (&part == &weights.qkv.front()) {
        call.access.writes = {buffers_.q, buffers.k, buffers.v};
        if (buffers.q_store) call.access.writes.push_back(buffers.q_store);
      }
    }
    TRY(kernels_.matmul(pass.commands, call));
  }
  return scattered ? scatter(pass, spec, weights) : Result<void>{};
}

Result<void> Forward::scatter(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights) {
  const LayerBuffers& buffers = buffers_.layers[pass.layer];
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("engine/qkv_scatter", kPlainSubgroups, {{7, options_.cache == CacheType::kF16}}));
  shader::QkvScatterParams params{
      .qkv = buffers_.qkv.address(),
      .aux = buffers.qkv_target.address(),
      .q_gain = weights.query_gain ? weights.query_gain.address() : 0,
      .k_gain = weights.key_gain ? weights.key_gain.address() : 0,
      .tokens = pass.tokens,
      .stride = buffers_.qkv_stride,
      .heads = spec.heads,
      .kv_heads = spec.kv_heads,
      .q_width = spec.query_norm ? spec.normWidth(*spec.query_norm) : 0,
      .k_width = spec.key_norm ? spec.normWidth(*spec.key_norm) : 0,
      .q_epsilon = spec.query_norm ? spec.query_norm->epsilon : 0,
      .k_epsilon = spec.key_norm ? spec.key_norm->epsilon : 0,
  };
  gpu::Access access{.reads = {buffers_.qkv, buffers_.state}, .writes = {buffers_.q, buffers.k, buffers.v}};
  if (buffers.q_store) access.writes.push_back(buffers.q_store);
  pass.commands.dispatch(*kernel, {pass.tokens * (spec.heads + 2 * spec.kv_heads)}, params, access);
  return {};
}

Result<void> Forward::attend(const Pass& pass, const AttentionSpec& spec, const AttentionWeights& weights) {
  VITRINE_ASSERT(pass.splits == 1 || pass.tokens == 1);
  const LayerBuffers& buffers = buffers_.layers[pass.layer];
  bool f16 = options_.cache == CacheType::kF16;
  std::uint32_t group = spec.heads / spec.kv_heads;
  const gpu::Buffer& values = spec.latent ? buffers.k : buffers.v;
  TRY_ASSIGN(auto kernel, kernels_.attention({.head_dim = spec.head_dim,
                                              .value_dim = spec.valueDim(),
                                              .group = group,
                                              .tokens = pass.tokens,
                                              .cache_f16 = f16,
                                              .probe = options_.probes,
                                              .split = pass.splits > 1,
                                              .soft_cap = spec.soft_cap > 0,
                                              .alibi = !spec.alibi_slopes.empty(),
                                              .sinks = bool(spec.sinks)}));
  shader::AttentionParams params{
      .state = buffers_.state.address(),
      .q = buffers_.q.address(),
      .k = buffers.k.address(),
      .v = values.address(),
      .o = buffers_.o.address(),
      .lse = buffers.lse.address(),
      .summary = buffers.summary ? buffers.summary.address() : 0,
      .partial = pass.splits > 1 ? buffers_.partial.address() : 0,
      .arrived = pass.splits > 1 ? buffers_.arrived.address() : 0,
      .head_terms = weights.head_terms ? weights.head_terms.address() : 0,
      .heads = spec.heads,
      .kv_heads = spec.kv_heads,
      .context = options_.context,
      .q_stride = buffers_.q_stride,
      .o_stride = buffers_.o_stride,
      .tokens = pass.tokens,
      .splits = pass.splits,
      .window = spec.sliding_window,
      .scale = spec.scale,
      .soft_cap = spec.soft_cap,
  };
  std::vector<gpu::Bound> bound;
  if (kernels_.texel()) {
    VkFormat cache = f16 ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_R32G32B32A32_SFLOAT;
    TRY_ASSIGN(auto q, kernels_.view(buffers_.q, VK_FORMAT_R32G32B32A32_SFLOAT));
    TRY_ASSIGN(auto k, kernels_.view(buffers.k, cache));
    TRY_ASSIGN(auto v, kernels_.view(values, cache));
    bound = {q, k, v};
  }
  gpu::Access access{.reads = {buffers_.q, buffers.k, values, buffers_.state},
                     .writes = {buffers_.o, buffers.lse}};
  if (buffers.summary) access.writes.push_back(buffers.summary);
  if (pass.splits > 1) access.writes.push_back(buffers_.partial);
  gpu::Groups groups{spec.kv_heads * gpu::divideUp(group, kernel.heads),
                     gpu::divideUp(pass.tokens, kernel.queries), pass.splits};
  pass.commands.dispatch(*kernel.kernel, groups, params, access, bound);
  return {};
}

}  // namespace vitrine::core
