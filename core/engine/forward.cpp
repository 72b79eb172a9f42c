#include "core/engine/forward.h"

#include "core/engine/decay_memory.h"
#include "core/engine/moe.h"
#include "engine/embed.params.h"
#include "engine/norm.params.h"
#include "engine/sample.params.h"

namespace vitrine::core {
namespace {

// W (gain x / rms(x)) = (W (gain x)) / rms(x): the squares are summed while the product reads x.
bool canFuse(const NormWeights& norm) {
  return norm.kind == NormKind::kRms && !norm.bias;
}

}  // namespace

gpu::Slice Forward::xRows(std::uint32_t tokens) const {
  return rowsOf(buffers_.x, 0, tokens, buffers_.x_stride);
}

Result<void> Forward::embed(gpu::Commands& commands, std::uint32_t tokens) {
  const Matrix& table = model_.embedding();
  const ModelSpec& spec = model_.spec();
  const bool positions = bool(model_.positions());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_.get("engine/embed", kPlainSubgroups,
                          {{0, static_cast<std::uint32_t>(table.layout.format)}, {1, positions}}));
  gpu::Slice low = table.low(), high = table.high(), scale = table.scale();
  shader::EmbedParams params{
      .low = low.address(),
      .high = high.address(),
      .scales = scale.address(),
      .ids = buffers_.ids.address(),
      .x = buffers_.x.address(),
      .positions = positions ? model_.positions().address() : 0,
      .state = buffers_.state.address(),
      .rows = static_cast<std::uint32_t>(table.layout.rows),
      .chunks_per_row = table.layout.chunks_per_row,
      .columns = spec.embedding_dim,
      .x_stride = buffers_.x_stride,
      .tokens = tokens,
      .position_rows = static_cast<std::uint32_t>(spec.position_embedding.rows),
      .scale = spec.embedding_scale,
  };
  std::vector<gpu::Bound> bound;
  if (kernels_.texel()) {
    TRY_ASSIGN(bound, kernels_.planes(table));
  }
  commands.dispatch(*kernel, {tokens}, params,
                    {.reads = {buffers_.ids, buffers_.state}, .writes = {xRows(tokens)}}, bound);
  if (!model_.embeddingNorm()) return {};
  return norm(commands, {.norm = &*model_.embeddingNorm(), .x = xRows(tokens), .y = xRows(tokens)}, tokens);
}

struct Forward::Branch {
  const std::optional<NormWeights>& norm;
  const std::optional<NormWeights>& post_norm;
  Residual residual;
  float scale, skip;
  std::size_t parts;                    // outputs that are added up
  std::span<const float> factors = {};  // of each part's output; empty: all 1
  const gpu::Buffer* input;             // already computed, or null
  Fuse fuse = Fuse::kWherePossible;
};

// x = residual(x, post(sum of the parts' outputs)). A single part without further ado adds to x itself.
template <typename Body>
Result<void> Forward::branch(gpu::Commands& commands, const Branch& branch, std::uint32_t layer,
                             std::uint32_t tokens, std::uint32_t splits, Body body) {
  if (branch.parts == 0) return {};
  if (branch.residual == Residual::kNormalized && branch.norm)
    TRY(norm(commands, {.norm = &*branch.norm, .x = xRows(tokens), .y = xRows(tokens)}, tokens));
  bool direct = branch.parts == 1 && !branch.post_norm && branch.skip == 1;
  Input in{.x = xRows(tokens)};
  if (branch.input) {
    in.x = rowsOf(*branch.input, 0, tokens, buffers_.x_stride);
  } else if (branch.residual == Residual::kInput) {
    Fuse fuse = branch.parts == 1 ? branch.fuse : Fuse::kNever;
    TRY_ASSIGN(in, normed(commands, branch.norm, tokens, buffers_.normed, fuse));
  }
  for (std::size_t part = 0; part < branch.parts; ++part) {
    const float factor = branch.factors.empty() ? 1 : branch.factors[part];
    Output out =
        direct ? Output{&buffers_.x, true, branch.scale * factor} : Output{&buffers_.delta, part > 0, factor};
    TRY(body(Pass{commands, layer, tokens, splits, in, out}, part));
  }
  if (direct) return {};
  return norm(commands,
              {.norm = branch.post_norm ? &*branch.post_norm : nullptr,
               .x = rowsOf(buffers_.delta, 0, tokens, buffers_.x_stride),
               .y = xRows(tokens),
               .add = true,
               .scale = branch.scale,
               .skip = branch.skip},
              tokens);
}

Result<void> Forward::block(gpu::Commands& commands, std::uint32_t layer, std::uint32_t tokens,
                            std::uint32_t splits) {
  const BlockSpec& spec = model_.spec().blocks[layer];
  const BlockWeights& weights = model_.block(layer);
  if (spec.parallel) {
    TRY(normed(commands, weights.channel_norm, tokens, buffers_.channel_input, Fuse::kNever));
  }
  TRY(branch(commands,
             {.norm = weights.mixer_norm,
              .post_norm = weights.mixer_post_norm,
              .residual = spec.residual,
              .scale = spec.mixer_scale,
              .skip = spec.mixer_skip,
              .parts = spec.mixers.size(),
              .factors = spec.mixer_factors,
              .input = nullptr},
             layer, tokens, splits, [&](Pass pass, std::size_t part) {
               pass.state = &buffers_.layers[layer].mixer_states[part];
               pass.shown = shownMixer(spec) == part;
               return std::visit(
                   [&](const auto& kind) {
                     using Weights = decltype(upload(std::declval<WeightLoader&>(), kind))::value_type;
                     return record(pass, kind, std::get<Weights>(weights.mixers[part]));
                   },
                   spec.mixers[part]);
             }));
  // Experts of a batch gather their tokens' rows, which are to be normalized once.
  const MoeSpec* experts = spec.channel ? std::get_if<MoeSpec>(&*spec.channel) : nullptr;
  const bool gathers = experts && !routesDirectly(*experts, tokens);
  return branch(commands,
                {.norm = weights.channel_norm,
                 .post_norm = weights.channel_post_norm,
                 .residual = spec.residual,
                 .scale = spec.channel_scale,
                 .skip = spec.channel_skip,
                 .parts = spec.channel ? 1u : 0u,
                 .input = spec.parallel ? &buffers_.channel_input : nullptr,
                 .fuse = gathers ? Fuse::kNever : Fuse::kWherePossible},
                layer, tokens, splits, [&](Pass pass, std::size_t) {
                  pass.state = &buffers_.layers[layer].channel_state;
                  return std::visit(
                      [&](const auto& kind) {
                        using Weights = decltype(upload(std::declval<WeightLoader&>(), kind))::value_type;
                        return record(pass, kind, std::get<Weights>(*weights.channel));
                      },
                      *spec.channel);
                });
}

Result<Forward::Input> Forward::normed(gpu::Commands& commands, const std::optional<NormWeights>& norm,
                                       std::uint32_t tokens, const gpu::Buffer& to, Fuse fuse) {
  if (!norm && fuse == Fuse::kWherePossible) return Input{.x = xRows(tokens)};
  // A software device would compute the norm again in each workgroup, and tiles read finished activations.
  const bool apart = kernels_.device().info().software || kernels_.tiles(tokens);
  if (norm && fuse == Fuse::kWherePossible && !apart && canFuse(*norm))
    return Input{.x = xRows(tokens), .gain = &norm->gain, .epsilon = norm->epsilon};
  gpu::Slice rows = rowsOf(to, 0, tokens, buffers_.x_stride);
  TRY(this->norm(commands, {.norm = norm ? &*norm : nullptr, .x = xRows(tokens), .y = rows}, tokens));
  return Input{.x = rows};
}

Result<void> Forward::norm(gpu::Commands& commands, const NormCall& call, std::uint32_t tokens) {
  constexpr std::uint32_t kNone = 2;
  TRY_ASSIGN(
      const gpu::Kernel* kernel,
      kernels_.get("engine/norm", kPlainSubgroups,
                   {{0, call.norm ? static_cast<std::uint32_t>(call.norm->kind) : kNone}, {1, call.add}}));
  const std::uint32_t stride = call.stride ? call.stride : buffers_.x_stride;
  shader::NormParams params{
      .x = call.x.address(),
      .y = call.y.address(),
      .gain = call.norm ? call.norm->gain.address() : 0,
      .bias = call.norm && call.norm->bias ? call.norm->bias.address() : 0,
      .tokens = tokens,
      .columns = call.columns ? call.columns : model_.spec().embedding_dim,
      .x_stride = stride,
      .y_stride = stride,
      .epsilon = call.norm ? call.norm->epsilon : 0,
      .scale = call.scale,
      .skip = call.skip,
  };
  commands.dispatch(*kernel, {tokens}, params, {.reads = {call.x}, .writes = {call.y}});
  return {};
}

MatmulCall Forward::product(const Pass& pass, const Matrix& matrix, const gpu::Buffer& y,
                            std::uint32_t y_stride) const {
  return {
      .matrix = &matrix,
      .x = pass.in.x,
      .x_stride = buffers_.x_stride,
      .y = rowsOf(y, 0, pass.tokens, y_stride),
      .y_stride = y_stride,
      .tokens = pass.tokens,
      .norm_gain = pass.in.gain,
      .epsilon = pass.in.epsilon,
  };
}

Result<void> Forward::project(const Pass& pass, const Matrix& matrix, const gpu::Buffer& from,
                              std::uint32_t stride) {
  return kernels_.matmul(pass.commands, {.matrix = &matrix,
                                         .x = rowsOf(from, 0, pass.tokens, stride),
                                         .x_stride = stride,
                                         .y = rowsOf(*pass.out.to, 0, pass.tokens, buffers_.x_stride),
                                         .y_stride = buffers_.x_stride,
                                         .tokens = pass.tokens,
                                         .epilogue = pass.out.add ? Epilogue::kAdd : Epilogue::kStore,
                                         .scale = pass.out.scale});
}

Result<void> Forward::head(gpu::Commands& commands, std::uint32_t first_row, std::uint32_t tokens,
                           const gpu::Buffer& logits) {
  const NormWeights& norm = model_.finalNorm();
  gpu::Slice x = rowsOf(buffers_.x, first_row, tokens, buffers_.x_stride);
  const bool fused = canFuse(norm) && !kernels_.device().info().software;
  if (!fused) {
    gpu::Slice y = rowsOf(buffers_.normed, 0, tokens, buffers_.x_stride);
    TRY(this->norm(commands, {.norm = &norm, .x = x, .y = y}, tokens));
    x = y;
  }
  return kernels_.matmul(commands, {.matrix = &model_.head(),
                                    .x = x,
                                    .x_stride = buffers_.x_stride,
                                    .y = rowsOf(logits, 0, tokens, buffers_.vocab_stride),
                                    .y_stride = buffers_.vocab_stride,
                                    .tokens = tokens,
                                    .norm_gain = fused ? &norm.gain : nullptr,
                                    .epsilon = norm.epsilon,
                                    .scale = model_.spec().logit_scale,
                                    .soft_cap = model_.spec().logit_soft_cap});
}

Result<void> Forward::finalNorm(gpu::Commands& commands, std::uint32_t tokens, gpu::Slice y) {
  return norm(commands, {.norm = &model_.finalNorm(), .x = xRows(tokens), .y = y}, tokens);
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
