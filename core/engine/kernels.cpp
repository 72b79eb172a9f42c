#include "core/engine/kernels.h"

#include <algorithm>
#include <bit>

#include "core/model/matrix_update.h"
#include "engine/attention.params.h"
#include "engine/split_halves.params.h"
#include "gpu/shader_binary.h"

namespace vitrine::core {
namespace {

constexpr std::string_view kTiled = "engine/matmul_tiled";

shader::MatmulParams paramsOf(const MatmulCall& call) {
  const PackedLayout& layout = call.matrix->layout;
  const gpu::Buffer& bias = call.matrix->bias;
  gpu::Slice low = call.matrix->low(), high = call.matrix->high(), scale = call.matrix->scale();
  return {
      .low = low.address(),
      .high = high.address(),
      .scales = scale.address(),
      .x = call.x.address(),
      .gain = call.norm_gain ? call.norm_gain->address() : 0,
      .bias = bias ? bias.address() : 0,
      .y = call.y.address(),
      .aux = call.aux,
      .low_rank = call.low_rank,
      .z = call.z,
      .rows = static_cast<std::uint32_t>(layout.rows),
      .chunks_per_row = layout.chunks_per_row,
      .columns = static_cast<std::uint32_t>(layout.columns),
      .x_stride = call.x_stride,
      .y_stride = call.y_stride,
      .tokens = call.tokens,
      .first_row = call.first_row,
      .epsilon = call.epsilon,
      .scale = call.scale,
      .soft_cap = call.soft_cap,
  };
}

}  // namespace

// Measured with bench/: on a software device 16 sums still fit the registers, more spill and take its
// compiler minutes; GPUs want many subgroups with several loads in flight.
MatmulShape matmulShape(const gpu::DeviceInfo& device, std::uint32_t tokens) {
  if (device.software) return tokens == 1 ? MatmulShape{16, 1, 1, 1} : MatmulShape{4, 4, 1, 1};
  if (tokens == 1) return {2, 1, 4, 8};
  return tokens <= 4 ? MatmulShape{4, 4, 1, 4} : MatmulShape{4, 8, 1, 4};
}

Result<const gpu::Kernel*> Kernels::get(std::string_view name, std::uint32_t subgroups,
                                        std::vector<gpu::Specialization> constants, std::string_view form) {
  constants.push_back({100, lanes()});
  constants.push_back({101, lanes() * subgroups});
  std::string key = fmt::format("{} {}", name, form);
  for (const auto& constant : constants) key += fmt::format(" {}:{}", constant.id, constant.value);
  if (auto found = kernels_.find(key); found != kernels_.end()) return &found->second;
  auto has_form = [&](std::string_view form) {
    return std::ranges::any_of(gpu::shaderBinaries(),
                               [&](const auto& b) { return b.name == name && b.variant == form; });
  };
  std::string_view wanted = name == kTiled ? "coopmat" : texel() ? "texel" : "address";
  if (form.empty() && has_form(wanted)) form = wanted;
  TRY_ASSIGN(auto kernel, gpu::Kernel::create(device_, name, form, constants));
  return &kernels_.emplace(std::move(key), std::move(kernel)).first->second;
}

Result<VkBufferView> Kernels::view(const gpu::Slice& slice, VkFormat format) const {
  return slice.buffer->texelView(format, slice.offset, slice.bytes);
}

Result<std::vector<gpu::Bound>> Kernels::planes(const Matrix& matrix) const {
  gpu::Slice low = matrix.low(), high = matrix.high(), scale = matrix.scale();
  gpu::Slice unread(*low.buffer, low.offset, 16);  // stands for a plane that this format lacks
  TRY_ASSIGN(auto low_view, view(low, VK_FORMAT_R32G32B32A32_UINT));
  TRY_ASSIGN(auto high_view, view(high ? high : unread, VK_FORMAT_R32_UINT));
  TRY_ASSIGN(auto scale_view, view(scale ? scale : unread, VK_FORMAT_R32_UINT));
  return std::vector<gpu::Bound>{low_view, high_view, scale_view};
}

bool Kernels::tiles(std::uint32_t tokens) const {
  constexpr std::uint32_t kFewest = 96;  // below, too few workgroups to fill a GPU
  const gpu::DeviceInfo& info = device_.info();
  static const bool built = std::ranges::any_of(
      gpu::shaderBinaries(), [](const auto& b) { return b.name == kTiled && b.variant == "coopmat"; });
  return built && info.features.cooperative_matrix && info.subgroup_size == 32 && tokens >= kFewest;
}

// Grows a buffer that dispatches of one queue use one after the other.
Result<const gpu::Buffer*> Kernels::scratch(std::vector<gpu::Buffer>& buffers, std::uint64_t bytes) {
  if (buffers.empty() || buffers.back().size() < bytes) {
    TRY_ASSIGN(auto buffer, gpu::Buffer::create(device_, std::bit_ceil(bytes), gpu::MemoryKind::kDevice,
                                                "inside of products"));
    buffers.push_back(std::move(buffer));
  }
  return &buffers.back();
}

Result<void> Kernels::tiledMatmul(gpu::Commands& commands, const MatmulCall& call) {
  constexpr std::uint32_t kRows = 64, kTokens = 64, kSubgroups = 4;  // matmul_tiled.comp
  const PackedLayout& layout = call.matrix->layout;
  const gpu::Buffer& bias = call.matrix->bias;
  const std::uint32_t stride = gpu::divideUp(layout.columns, 32) * 32;
  TRY_ASSIGN(const gpu::Buffer* halves, scratch(halves_, std::uint64_t(call.tokens) * stride * 4));
  TRY_ASSIGN(const gpu::Buffer* scales, scratch(scales_, std::uint64_t(call.tokens) * 4));
  TRY_ASSIGN(const gpu::Kernel* split, get("engine/split_halves", 1));
  shader::SplitHalvesParams split_params{
      .x = call.x.address(),
      .halves = halves->address(),
      .scales = scales->address(),
      .tokens = call.tokens,
      .columns = static_cast<std::uint32_t>(layout.columns),
      .x_stride = call.x_stride,
      .stride = stride,
  };
  commands.dispatch(*split, {call.tokens}, split_params, {.reads = {call.x}, .writes = {*halves, *scales}});

  TRY_ASSIGN(const gpu::Kernel* kernel, get(kTiled, kSubgroups,
                                            {{0, static_cast<std::uint32_t>(layout.format)},
                                             {4, static_cast<std::uint32_t>(call.epilogue)},
                                             {5, static_cast<std::uint32_t>(call.activation)},
                                             {6, bool(bias)},
                                             {7, call.cache_f16},
                                             {9, call.scale != 1 || call.soft_cap != 0},
                                             {11, call.z != 0}}));
  shader::MatmulParams params = paramsOf(call);
  params.x = halves->address();
  params.gain = scales->address();
  params.x_stride = stride;
  gpu::Access access = call.access;
  access.reads.insert(access.reads.end(), {*halves, *scales});
  if (call.y) access.writes.push_back(call.y);
  commands.dispatch(*kernel, {gpu::divideUp(call.tokens, kTokens), gpu::divideUp(layout.rows, kRows)}, params,
                    access);
  return {};
}

// z = s * (A x) first, which then enters the product's epilogue: in front of everything that is fused there.
Result<void> Kernels::matmul(gpu::Commands& commands, const MatmulCall& call) {
  if (!call.matrix->update) return product(commands, call);
  const MatrixUpdate& update = *call.matrix->update;
  VITRINE_ASSERT(adapter_scales_);
  const auto stride = static_cast<std::uint32_t>(update.a.layout.rows);
  const std::uint64_t bytes = std::uint64_t(call.tokens) * stride * sizeof(float);
  TRY_ASSIGN(const gpu::Buffer* inner, scratch(inner_, bytes));
  const gpu::Slice z(*inner, 0, bytes);
  TRY(product(commands, {.matrix = &update.a,
                         .x = call.x,
                         .x_stride = call.x_stride,
                         .y = z,
                         .y_stride = stride,
                         .tokens = call.tokens,
                         .norm_gain = call.norm_gain,
                         .epsilon = call.epsilon,
                         .epilogue = Epilogue::kScaleRows,
                         .aux = adapter_scales_.address(),
                         .low_rank = update.adapters.address(),
                         .access = {.reads = {adapter_scales_}}}));
  MatmulCall with = call;
  with.low_rank = update.term.address();
  with.z = z.address();
  with.access.reads.push_back(z);
  return product(commands, with);
}

Result<void> Kernels::product(gpu::Commands& commands, const MatmulCall& call) {
  if (!call.shape && !call.norm_gain && call.matrix->fits_halves && tiles(call.tokens))
    return tiledMatmul(commands, call);
  const PackedLayout& layout = call.matrix->layout;
  MatmulShape shape = call.shape.value_or(matmulShape(device_.info(), call.tokens));
  const gpu::Buffer& bias = call.matrix->bias;
  gpu::Groups groups{gpu::divideUp(layout.rows, shape.rows * shape.subgroups),
                     gpu::divideUp(call.tokens, shape.tokens), 1};
  constexpr std::uint32_t kMostGroups = 65535;  // along y, on any device
  bool tokens_first = groups.y > 1 && groups.x <= kMostGroups;
  if (tokens_first) std::swap(groups.x, groups.y);
  TRY_ASSIGN(const gpu::Kernel* kernel, get("engine/matmul", shape.subgroups,
                                            {{0, static_cast<std::uint32_t>(layout.format)},
                                             {1, shape.rows},
                                             {2, shape.tokens},
                                             {3, call.norm_gain != nullptr},
                                             {4, static_cast<std::uint32_t>(call.epilogue)},
                                             {5, static_cast<std::uint32_t>(call.activation)},
                                             {6, bool(bias)},
                                             {7, call.cache_f16},
                                             {8, shape.depth},
                                             {9, call.scale != 1 || call.soft_cap != 0},
                                             {10, tokens_first},
                                             {11, call.z != 0}}));
  std::vector<gpu::Bound> bound;
  if (texel()) {
    TRY_ASSIGN(bound, planes(*call.matrix));
    TRY_ASSIGN(auto x_view, view(call.x, VK_FORMAT_R32G32B32A32_SFLOAT));
    TRY_ASSIGN(auto gain_view,
               view(call.norm_gain ? gpu::Slice(*call.norm_gain) : call.x, VK_FORMAT_R32G32B32A32_SFLOAT));
    bound.insert(bound.end(), {x_view, gain_view});
  }
  gpu::Access access = call.access;
  access.reads.push_back(call.x);
  if (call.y) access.writes.push_back(call.y);
  commands.dispatch(*kernel, groups, paramsOf(call), access, bound);
  return {};
}

Result<Kernels::Attention> Kernels::attention(const AttentionShape& shape) {
  bool software = device_.info().software;
  Attention result;
  // (head, query) pairs that share each read of K and V. For one token a GPU is better off with more
  // subgroups: the heads of a group find K and V in its cache.
  std::uint32_t rows = software ? 6 : shape.tokens == 1 ? 1 : 4;
  // Their sums must fit the registers: latents are wide.
  constexpr std::uint32_t kMostQuads = 48;
  if (software) rows = std::clamp(kMostQuads / gpu::divideUp(shape.value_dim, 4 * lanes()), 1u, rows);
  result.heads = std::min(shape.group, rows);
  result.queries = shape.tokens == 1 ? 1 : std::max(1u, rows / result.heads);
  TRY_ASSIGN(result.kernel, get("engine/attention", 1,
                                {{0, shape.head_dim},
                                 {1, result.heads},
                                 {2, result.queries},
                                 {3, shape.probe},
                                 {4, shape.split},
                                 {5, shape.soft_cap},
                                 {6, shape.alibi},
                                 {7, shape.cache_f16},
                                 {8, shape.sinks},
                                 {9, shape.value_dim}}));
  return result;
}

}  // namespace vitrine::core
