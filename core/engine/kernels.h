// The engine's kernels for one device: made on first use, kept. Chooses the form (device addresses, or texel
// buffers on software devices) and the shape (rows and tokens a subgroup, subgroups a workgroup) of each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "engine/matmul.params.h"
#include "gpu/commands.h"
#include "gpu/kernel.h"

namespace vitrine::core {

// The numbers are the EPILOGUE constant of shaders/engine/epilogue.glsl.
// kMultiplySigmoid: y *= sigmoid(the product). kScaleRows: of an adapter's A.
enum class Epilogue : std::uint32_t {
  kStore,
  kAdd,
  kQkv,
  kGlu,
  kGated,
  kActivate,
  kMultiplySigmoid,
  kScaleRows
};

// How the product is cut: rows (even) and tokens of one subgroup, chunks of a row in flight, subgroups a
// workgroup.
struct MatmulShape {
  std::uint32_t rows = 8, tokens = 1, depth = 1, subgroups = 1;
};
MatmulShape matmulShape(const gpu::DeviceInfo& device, std::uint32_t tokens);

// A matrix product for a batch of tokens and what surrounds it; see shaders/engine/matmul.comp.
struct MatmulCall {
  const Matrix* matrix = nullptr;
  gpu::Slice x = {};  // (tokens, x_stride) f32
  std::uint32_t x_stride = 0;
  gpu::Slice y = {};  // (tokens, y_stride) f32
  std::uint32_t y_stride = 0;
  std::uint32_t tokens = 1;
  const gpu::Buffer* norm_gain = nullptr;  // not null: the RMS norm in front, with this gain
  float epsilon = 0;
  Epilogue epilogue = Epilogue::kStore;
  float scale = 1, soft_cap = 0;  // store and add
  Activation activation = Activation::kSilu;
  std::uint64_t aux = 0;                  // address: QkvTarget or the gate's outputs
  std::uint64_t low_rank = 0, z = 0;      // addresses; matmul() fills them in where the matrix has an update
  std::uint32_t first_row = 0;            // QKV
  bool cache_f16 = true;                  // QKV
  std::optional<MatmulShape> shape = {};  // otherwise matmulShape's choice
  gpu::Access access = {};                // beyond x and y
};

struct AttentionShape {
  std::uint32_t head_dim = 0, value_dim = 0;  // value_dim < head_dim: keys end in their values
  std::uint32_t group = 1;                    // query heads a kv head
  std::uint32_t tokens = 1;
  bool cache_f16 = true, probe = false, split = false;
  bool soft_cap = false, alibi = false, sinks = false;
};

class Kernels {
 public:
  explicit Kernels(gpu::Device& device) : device_(device) {}

  gpu::Device& device() const { return device_; }
  bool texel() const { return device_.info().software; }
  std::uint32_t lanes() const { return device_.info().subgroup_size; }

  // A kernel whose workgroup is `subgroups` whole subgroups, in the form that is named, else in the device's
  // where it has two.
  Result<const gpu::Kernel*> get(std::string_view name, std::uint32_t subgroups,
                                 std::vector<gpu::Specialization> constants = {}, std::string_view form = "");

  // With what adapters add to the product. The one place where linears of dense layers are recorded.
  Result<void> matmul(gpu::Commands& commands, const MatmulCall& call);
  // (adapters) f32, read by products whose matrix has an update; must outlive what is recorded.
  void useAdapterScales(gpu::Slice scales) { adapter_scales_ = scales; }
  // Whether products of this many tokens run on matrix units, if they have no norm in front.
  bool tiles(std::uint32_t tokens) const;

  struct Attention {
    const gpu::Kernel* kernel = nullptr;
    std::uint32_t heads = 1, queries = 1;  // of one subgroup
  };
  Result<Attention> attention(const AttentionShape& shape);

  // What the texel form binds: the planes of a matrix (bindings 0 to 2), or a typed view of any slice.
  Result<std::vector<gpu::Bound>> planes(const Matrix& matrix) const;
  Result<VkBufferView> view(const gpu::Slice& slice, VkFormat format) const;

 private:
  Result<const gpu::Buffer*> scratch(std::vector<gpu::Buffer>& buffers, std::uint64_t bytes);
  Result<void> product(gpu::Commands& commands, const MatmulCall& call);
  Result<void> tiledMatmul(gpu::Commands& commands, const MatmulCall& call);

  gpu::Device& device_;
  std::map<std::string, gpu::Kernel> kernels_;
  // Activations as halves, and their scales. Outgrown buffers stay: what is recorded may refer to them.
  std::vector<gpu::Buffer> halves_, scales_;
  std::vector<gpu::Buffer> inner_;  // adapters' A x
  gpu::Slice adapter_scales_;
};

}  // namespace vitrine::core
