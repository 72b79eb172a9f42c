#include "core/engine/moe.h"

#include "engine/moe_combine.params.h"
#include "engine/moe_down.params.h"
#include "engine/moe_matmul.params.h"
#include "engine/moe_route.params.h"
#include "engine/moe_sort.params.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kPlain = 1;  // subgroups of the small kernels

std::uint32_t constant(auto value) {
  return static_cast<std::uint32_t>(value);
}

}  // namespace

// One experts' product for all choices.
struct MoeRecorder::Product {
  const Matrix& matrix;
  gpu::Slice x, y;
  std::uint32_t x_stride, y_stride;
  std::uint32_t x_share;  // choices that read the same row of x
  bool glu;
};

Result<void> MoeRecorder::record() {
  TRY(route());
  if (!isSparse()) TRY(sort());
  const std::uint32_t act_stride = activationStride(call_.spec->width);
  TRY(multiply({.matrix = call_.weights->gate_up,
                .x = call_.x,
                .y = scratch(kMoeActs),
                .x_stride = call_.x_stride,
                .y_stride = act_stride,
                .x_share = call_.spec->router.top_k,
                .glu = true}));
  if (isSparse()) return downAndSum();
  TRY(multiply({.matrix = call_.weights->down,
                .x = scratch(kMoeActs),
                .y = scratch(kMoeOutputs),
                .x_stride = act_stride,
                .y_stride = call_.x_stride,
                .x_share = 1,
                .glu = false}));
  return combine();
}

Result<void> MoeRecorder::route() {
  const RouterSpec& router = call_.spec->router;
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/moe_route", kPlain,
                                                     {{0, constant(router.scores)},
                                                      {1, router.normalize},
                                                      {2, constant(router.group_score)},
                                                      {3, experts()},
                                                      {4, bool(call_.routing)}}));
  const gpu::Slice logits = scratch(kMoeLogits), chosen = scratch(kMoeChosen), weights = scratch(kMoeWeights);
  const shader::MoeRouteParams params{
      .logits = logits.address(),
      .correction = call_.weights->correction ? call_.weights->correction.address() : 0,
      .chosen = chosen.address(),
      .weights = weights.address(),
      .state = call_.routing ? call_.state.address() : 0,
      .routing = call_.routing ? call_.routing.address() : 0,
      .tokens = call_.tokens,
      .logits_stride = (*call_.scratch_strides)[kMoeLogits],
      .top_k = router.top_k,
      .groups = router.groups,
      .top_groups = router.top_groups,
      .epsilon = router.epsilon,
      .scale = router.scale,
  };
  gpu::Access access{.reads = {logits}, .writes = {chosen, weights}};
  if (call_.routing) {
    access.reads.push_back(call_.state);
    access.writes.push_back(call_.routing);
  }
  commands_.dispatch(*kernel, {call_.tokens}, params, access);
  return {};
}

Result<void> MoeRecorder::sort() {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/moe_sort", kPlain));
  const gpu::Slice chosen = scratch(kMoeChosen), sorted = scratch(kMoeSorted), tiles = scratch(kMoeTiles);
  const shader::MoeSortParams params{
      .chosen = chosen.address(),
      .sorted = sorted.address(),
      .tiles = tiles.address(),
      .choices = choices(),
      .experts = experts(),
      .tile = shape().tokens,
  };
  commands_.dispatch(*kernel, {experts()}, params, {.reads = {chosen}, .writes = {sorted, tiles}});
  return {};
}

MatmulShape MoeRecorder::shape() const {
  const gpu::DeviceInfo& info = kernels_.device().info();
  return matmulShape(info, isSparse() ? 1 : gpu::divideUp(choices(), experts()));
}

Result<void> MoeRecorder::multiply(const Product& product) {
  const MatmulShape shape = this->shape();
  const PackedLayout& layout = product.matrix.layout;
  const bool tiled = !isSparse();
  const std::optional<ClampedGlu>& clamped = call_.spec->clamped;
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/moe_matmul", shape.subgroups,
                                                     {{0, constant(layout.format)},
                                                      {1, shape.rows},
                                                      {2, tiled ? shape.tokens : 1},
                                                      {3, tiled},
                                                      {4, product.glu},
                                                      {5, constant(call_.spec->activation)},
                                                      {6, bool(product.matrix.bias)},
                                                      {8, shape.depth},
                                                      {9, product.glu && clamped},
                                                      {11, product.glu && call_.norm_gain}}));
  const gpu::Slice low = product.matrix.low(), high = product.matrix.high(), scale = product.matrix.scale();
  const gpu::Slice tiles = scratch(kMoeTiles), sorted = scratch(kMoeSorted), chosen = scratch(kMoeChosen);
  const auto rows = static_cast<std::uint32_t>(layout.rows / experts());
  const shader::MoeMatmulParams params{
      .low = low.address(),
      .high = high.address(),
      .scales = scale.address(),
      .x = product.x.address(),
      .bias = product.matrix.bias ? product.matrix.bias.address() : 0,
      .y = product.y.address(),
      .tiles = tiles.address(),
      .sorted = sorted.address(),
      .chosen = chosen.address(),
      .gain = call_.norm_gain ? call_.norm_gain->address() : 0,
      .rows = rows,
      .chunks_per_row = layout.chunks_per_row,
      .x_stride = product.x_stride,
      .y_stride = product.y_stride,
      .x_share = product.x_share,
      .columns = embedding(),
      .epsilon = call_.epsilon,
      .alpha = clamped ? clamped->alpha : 0,
      .limit = clamped ? clamped->limit : 0,
  };
  TRY_ASSIGN(const auto bound, this->bound(product.matrix, product.x));
  gpu::Access access{.reads = {product.x}, .writes = {product.y}};
  if (tiled)
    access.reads.insert(access.reads.end(), {tiles, sorted});
  else
    access.reads.push_back(chosen);
  const std::uint32_t columns = tiled ? choices() / shape.tokens + experts() : choices();
  commands_.dispatch(*kernel, {columns, gpu::divideUp(rows, shape.rows * shape.subgroups)}, params, access,
                     bound);
  return {};
}

Result<void> MoeRecorder::downAndSum() {
  const MatmulShape shape = this->shape();
  const Matrix& matrix = call_.weights->down;
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/moe_down", shape.subgroups,
                                                     {{0, constant(matrix.layout.format)},
                                                      {1, shape.rows},
                                                      {2, 1},
                                                      {6, bool(matrix.bias)},
                                                      {8, shape.depth},
                                                      {10, call_.add}}));
  const gpu::Slice low = matrix.low(), high = matrix.high(), scale = matrix.scale();
  const gpu::Slice acts = scratch(kMoeActs), chosen = scratch(kMoeChosen), weights = scratch(kMoeWeights);
  const shader::MoeDownParams params{
      .low = low.address(),
      .high = high.address(),
      .scales = scale.address(),
      .x = acts.address(),
      .bias = matrix.bias ? matrix.bias.address() : 0,
      .y = call_.y.address(),
      .chosen = chosen.address(),
      .weights = weights.address(),
      .shared_out = sharedOut(),
      .gate = sharedGate(),
      .rows = embedding(),
      .chunks_per_row = matrix.layout.chunks_per_row,
      .x_stride = activationStride(call_.spec->width),
      .y_stride = call_.x_stride,
      .top_k = call_.spec->router.top_k,
      .gate_stride = (*call_.scratch_strides)[kMoeSharedGate],
      .scale = call_.scale,
  };
  TRY_ASSIGN(const auto bound, this->bound(matrix, acts));
  gpu::Access access{.reads = sharedReads(), .writes = {call_.y}};
  access.reads.insert(access.reads.end(), {acts, chosen, weights});
  commands_.dispatch(*kernel, {gpu::divideUp(embedding(), shape.rows * shape.subgroups), call_.tokens},
                     params, access, bound);
  return {};
}

Result<void> MoeRecorder::combine() {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_.get("engine/moe_combine", kPlain, {{10, call_.add}}));
  const gpu::Slice outputs = scratch(kMoeOutputs), weights = scratch(kMoeWeights);
  const shader::MoeCombineParams params{
      .x = outputs.address(),
      .y = call_.y.address(),
      .weights = weights.address(),
      .shared_out = sharedOut(),
      .gate = sharedGate(),
      .tokens = call_.tokens,
      .columns = embedding(),
      .y_stride = call_.x_stride,
      .gate_stride = (*call_.scratch_strides)[kMoeSharedGate],
      .top_k = call_.spec->router.top_k,
      .scale = call_.scale,
  };
  gpu::Access access{.reads = sharedReads(), .writes = {call_.y}};
  access.reads.insert(access.reads.end(), {outputs, weights});
  commands_.dispatch(*kernel, {call_.tokens}, params, access);
  return {};
}

gpu::Slice MoeRecorder::scratch(MoeScratch which) const {
  return {(*call_.scratch)[which], 0, std::uint64_t{call_.tokens} * (*call_.scratch_strides)[which] * 4};
}

std::uint64_t MoeRecorder::sharedOut() const {
  return call_.spec->shared ? (*call_.scratch)[kMoeShared].address() : 0;
}

std::uint64_t MoeRecorder::sharedGate() const {
  return call_.spec->shared_gate ? (*call_.scratch)[kMoeSharedGate].address() : 0;
}

std::vector<gpu::Slice> MoeRecorder::sharedReads() const {
  std::vector<gpu::Slice> reads;
  if (call_.spec->shared) reads.push_back(scratch(kMoeShared));
  if (call_.spec->shared_gate) reads.push_back(scratch(kMoeSharedGate));
  return reads;
}

Result<std::vector<gpu::Bound>> MoeRecorder::bound(const Matrix& matrix, const gpu::Slice& x) const {
  if (!kernels_.texel()) return std::vector<gpu::Bound>{};
  TRY_ASSIGN(auto bound, kernels_.planes(matrix));
  TRY_ASSIGN(auto x_view, kernels_.view(x, VK_FORMAT_R32G32B32A32_SFLOAT));
  bound.push_back(x_view);
  return bound;
}

}  // namespace vitrine::core
