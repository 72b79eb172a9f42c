#include "core/engine/forward.h"

#include "engine/attention.params.h"
#include "engine/embed.params.h"
#include "engine/norm.params.h"
#include "engine/qkv_scatter.params.h"
#include "engine/sample.params.h"

namespace vitrine::core {
namespace {

std::uint32_t divideUp(std::uint32_t a, std::uint32_t b) {
  return (a + b - 1) / b;
}

// The part of an activation buffer that a batch of `tokens` uses.
gpu::Slice rows(const gpu::Buffer& buffer, std::uint32_t first, std::uint32_t tokens, std::uint32_t stride) {
  return {buffer, std::uint64_t(first) * stride * 4, std::uint64_t(tokens) * stride * 4};
}

constexpr std::uint32_t kPlainSubgroups = 1;  // of the small kernels: one subgroup does one row

}  // namespace

Result<void> Forward::embed(gpu::Commands& commands, std::uint32_t tokens) {
  const Matrix& table = model_.embedding();
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/embed", kPlainSubgroups,
                                                     {{0, static_cast<std::uint32_t>(table.layout.format)}}));
  gpu::Slice low = table.low(), high = table.high(), scale = table.scale();
  shader::EmbedParams params{
      .low = low.address(),
      .high = high.address(),
      .scales = scale.address(),
      .ids = buffers_.ids.address(),
      .x = buffers_.x.address(),
      .rows = static_cast<std::uint32_t>(table.layout.rows),
      .chunks_per_row = table.layout.chunks_per_row,
      .x_stride = buffers_.x_stride,
      .tokens = tokens,
  };
  std::vector<gpu::Bound> bound;
  if (kernels_.texel()) {
    TRY_ASSIGN(bound, kernels_.planes(table));
  }
  commands.dispatch(*kernel, {tokens}, params,
                    {.reads = {buffers_.ids}, .writes = {rows(buffers_.x, 0, tokens, buffers_.x_stride)}},
                    bound);
  return {};
}

Result<void> Forward::block(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens,
                            std::uint32_t splits) {
  TRY(qkv(commands, layer, tokens));
  TRY(attention(commands, layer, tokens, splits));
  TRY(addTo(commands, model_.block(layer).attention.output, buffers_.o, buffers_.o_stride, tokens));
  return mlp(commands, layer, tokens);
}

Result<void> Forward::qkv(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens) {
  const BlockSpec& spec = model_.spec().blocks[layer];
  const AttentionSpec& attention = model_.attention(layer);
  const BlockWeights& weights = model_.block(layer);
  const LayerBuffers& buffers = buffers_.layers[layer];
  bool scattered = attention.query_norm || attention.key_norm;
  for (const AttentionWeights::Part& part : weights.attention.qkv) {
    MatmulCall call{
        .matrix = &part.matrix,
        .x = rows(buffers_.x, 0, tokens, buffers_.x_stride),
        .x_stride = buffers_.x_stride,
        .tokens = tokens,
        .norm_gain = &weights.mixer_gain,
        .epsilon = spec.mixer_norm.epsilon,
        .aux = buffers.qkv_target.address(),
        .first_row = part.first_row,
        .cache_f16 = options_.cache == CacheType::kF16,
    };
    if (scattered) {
      call.y = gpu::Slice(buffers_.qkv, part.first_row * 4ull, buffers_.qkv.size() - part.first_row * 4ull);
      call.y_stride = buffers_.qkv_stride;
    } else {
      call.epilogue = Epilogue::kQkv;
      call.access.reads = {buffers_.state};
      // Parts write different rows of the same buffers: only the first waits for earlier readers.
      if (&part == &weights.attention.qkv.front()) {
        call.access.writes = {buffers_.q, buffers.k, buffers.v};
        if (buffers.q_store) call.access.writes.push_back(buffers.q_store);
      }
    }
    TRY(kernels_.matmul(commands, call));
  }
  return scattered ? scatter(commands, layer, tokens) : Result<void>{};
}

Result<void> Forward::scatter(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens) {
  const AttentionSpec& spec = model_.attention(layer);
  const AttentionWeights& weights = model_.block(layer).attention;
  const LayerBuffers& buffers = buffers_.layers[layer];
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("engine/qkv_scatter", kPlainSubgroups, {{7, options_.cache == CacheType::kF16}}));
  shader::QkvScatterParams params{
      .qkv = buffers_.qkv.address(),
      .aux = buffers.qkv_target.address(),
      .q_gain = weights.query_gain ? weights.query_gain.address() : 0,
      .k_gain = weights.key_gain ? weights.key_gain.address() : 0,
      .tokens = tokens,
      .stride = buffers_.qkv_stride,
      .heads = spec.heads,
      .kv_heads = spec.kv_heads,
      .q_epsilon = spec.query_norm ? spec.query_norm->epsilon : 0,
      .k_epsilon = spec.key_norm ? spec.key_norm->epsilon : 0,
  };
  gpu::Access access{.reads = {buffers_.qkv, buffers_.state}, .writes = {buffers_.q, buffers.k, buffers.v}};
  if (buffers.q_store) access.writes.push_back(buffers.q_store);
  commands.dispatch(*kernel, {tokens * (spec.heads + 2 * spec.kv_heads)}, params, access);
  return {};
}

Result<void> Forward::attention(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens,
                                std::uint32_t splits) {
  VITRINE_ASSERT(splits == 1 || tokens == 1);
  const AttentionSpec& spec = model_.attention(layer);
  const LayerBuffers& buffers = buffers_.layers[layer];
  bool f16 = options_.cache == CacheType::kF16;
  std::uint32_t group = spec.heads / spec.kv_heads;
  TRY_ASSIGN(auto kernel, kernels_.attention({.head_dim = spec.head_dim,
                                              .group = group,
                                              .tokens = tokens,
                                              .cache_f16 = f16,
                                              .probe = options_.probes,
                                              .split = splits > 1}));
  shader::AttentionParams params{
      .state = buffers_.state.address(),
      .q = buffers_.q.address(),
      .k = buffers.k.address(),
      .v = buffers.v.address(),
      .o = buffers_.o.address(),
      .lse = buffers.lse.address(),
      .summary = buffers.summary ? buffers.summary.address() : 0,
      .partial = splits > 1 ? buffers_.partial.address() : 0,
      .arrived = splits > 1 ? buffers_.arrived.address() : 0,
      .heads = spec.heads,
      .kv_heads = spec.kv_heads,
      .head_dim = spec.head_dim,
      .context = options_.context,
      .q_stride = buffers_.q_stride,
      .o_stride = buffers_.o_stride,
      .tokens = tokens,
      .splits = splits,
      .window = spec.sliding_window,
      .scale = spec.scale,
  };
  std::vector<gpu::Bound> bound;
  if (kernels_.texel()) {
    VkFormat cache = f16 ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_R32G32B32A32_SFLOAT;
    TRY_ASSIGN(auto q, kernels_.view(buffers_.q, VK_FORMAT_R32G32B32A32_SFLOAT));
    TRY_ASSIGN(auto k, kernels_.view(buffers.k, cache));
    TRY_ASSIGN(auto v, kernels_.view(buffers.v, cache));
    bound = {q, k, v};
  }
  gpu::Access access{.reads = {buffers_.q, buffers.k, buffers.v, buffers_.state},
                     .writes = {buffers_.o, buffers.lse}};
  if (buffers.summary) access.writes.push_back(buffers.summary);
  if (splits > 1) access.writes.push_back(buffers_.partial);
  gpu::Groups groups{spec.kv_heads * divideUp(group, kernel.heads), divideUp(tokens, kernel.queries), splits};
  commands.dispatch(*kernel.kernel, groups, params, access, bound);
  return {};
}

Result<void> Forward::addTo(gpu::Commands& commands, const Matrix& matrix, const gpu::Buffer& input,
                            std::uint32_t stride, std::uint32_t tokens) {
  return kernels_.matmul(commands, {.matrix = &matrix,
                                    .x = rows(input, 0, tokens, stride),
                                    .x_stride = stride,
                                    .y = rows(buffers_.x, 0, tokens, buffers_.x_stride),
                                    .y_stride = buffers_.x_stride,
                                    .tokens = tokens,
                                    .epilogue = Epilogue::kAdd});
}

Result<void> Forward::mlp(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens) {
  const BlockSpec& block = model_.spec().blocks[layer];
  const auto& spec = std::get<DenseMlpSpec>(block.channel);
  const BlockWeights& weights = model_.block(layer);
  MatmulCall call{
      .x = rows(buffers_.x, 0, tokens, buffers_.x_stride),
      .x_stride = buffers_.x_stride,
      .y = rows(buffers_.act, 0, tokens, buffers_.act_stride),
      .y_stride = buffers_.act_stride,
      .tokens = tokens,
      .norm_gain = &weights.channel_gain,
      .epsilon = block.channel_norm.epsilon,
      .activation = spec.activation,
  };
  if (weights.mlp.gate_up) {
    call.matrix = &*weights.mlp.gate_up;
    call.epilogue = Epilogue::kGlu;
  } else {
    if (weights.mlp.gate) {
      MatmulCall gate = call;
      gate.matrix = &*weights.mlp.gate;
      gate.y = rows(buffers_.gate, 0, tokens, buffers_.act_stride);
      TRY(kernels_.matmul(commands, gate));
      call.aux = buffers_.gate.address();
      call.access.reads.push_back(gate.y);
    }
    call.matrix = &*weights.mlp.up;
    call.epilogue = weights.mlp.gate ? Epilogue::kGated : Epilogue::kActivate;
  }
  TRY(kernels_.matmul(commands, call));
  return addTo(commands, weights.mlp.down, buffers_.act, buffers_.act_stride, tokens);
}

Result<void> Forward::head(gpu::Commands& commands, std::uint32_t first_row, std::uint32_t tokens,
                           const gpu::Buffer& logits) {
  return kernels_.matmul(commands, {.matrix = &model_.head(),
                                    .x = rows(buffers_.x, first_row, tokens, buffers_.x_stride),
                                    .x_stride = buffers_.x_stride,
                                    .y = rows(logits, 0, tokens, buffers_.vocab_stride),
                                    .y_stride = buffers_.vocab_stride,
                                    .tokens = tokens,
                                    .norm_gain = &model_.finalGain(),
                                    .epsilon = model_.spec().final_norm.epsilon});
}

Result<void> Forward::finalNorm(gpu::Commands& commands, std::uint32_t tokens, gpu::Slice y) {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/norm", kPlainSubgroups));
  shader::NormParams params{
      .x = buffers_.x.address(),
      .gain = model_.finalGain() ? model_.finalGain().address() : 0,
      .y = y.address(),
      .tokens = tokens,
      .columns = model_.spec().embedding_dim,
      .stride = buffers_.x_stride,
      .epsilon = model_.spec().final_norm.epsilon,
  };
  commands.dispatch(*kernel, {tokens}, params, {.reads = {buffers_.x}, .writes = {y}});
  return {};
}

Result<void> Forward::sample(gpu::Commands& commands) {
  // One workgroup: wide where subgroups run side by side, a single subgroup where they take turns.
  std::uint32_t subgroups = kernels_.device().info().software ? 1 : 1024 / kernels_.lanes();
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/sample", subgroups));
  shader::SampleParams params{
      .logits = buffers_.logits.address(),
      .settings = buffers_.settings.address(),
      .state = buffers_.state.address(),
      .next_id = buffers_.ids.address(),
      .ring = buffers_.ring.address(),
      .vocab = model_.spec().vocab_size,
      .ring_size = kRingSize,
  };
  commands.dispatch(*kernel, {1}, params,
                    {.reads = {buffers_.logits, buffers_.settings},
                     .writes = {buffers_.state, buffers_.ids, buffers_.ring}});
  return {};
}

}  // namespace vitrine::core
