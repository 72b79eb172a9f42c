// A compute pipeline with its reflected interface: workgroup size, push-constant size, descriptor bindings.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/device.h"

namespace vitrine::gpu {

// Specialization constants by constant_id; bools and ints as uint32, floats by std::bit_cast.
struct Specialization {
  std::uint32_t id = 0;
  std::uint32_t value = 0;
};

enum class BindingKind { kTexelBuffer, kStorageImage, kSampledImage, kStorageBuffer };

struct Binding {
  std::uint32_t index = 0;
  BindingKind kind{};
};

class Kernel {
 public:
  // `name` and `variant` as in the embedded table ("engine/gemv", "texel"). Errors: kNotFound for an unknown
  // shader; kUnsupported when it needs a capability that the device lacks or a larger workgroup than it
  // allows. The pipeline requires the device's full subgroups where subgroup size control exists.
  static Result<Kernel> create(Device& device, std::string_view name, std::string_view variant = "",
                               std::span<const Specialization> constants = {});
  // From SPIR-V made elsewhere (tests).
  static Result<Kernel> fromSpirv(Device& device, std::span<const std::uint32_t> words, std::string name,
                                  std::span<const Specialization> constants = {});
  Kernel() = default;
  Kernel(Kernel&& other) noexcept;
  Kernel& operator=(Kernel&& other) noexcept;
  ~Kernel();

  explicit operator bool() const { return pipeline_ != VK_NULL_HANDLE; }
  const std::string& name() const { return name_; }
  VkPipeline pipeline() const { return pipeline_; }
  VkPipelineLayout layout() const { return layout_; }
  std::uint32_t pushConstantBytes() const { return push_constant_bytes_; }
  const std::vector<Binding>& bindings() const {
    return bindings_;
  }  // set 0, push descriptors, sorted by index
  std::uint32_t workgroupSize(int axis) const { return workgroup_size_[axis]; }  // after specialization

 private:
  void release();
  Device* device_ = nullptr;
  std::string name_;
  VkPipeline pipeline_ = VK_NULL_HANDLE;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
  std::uint32_t push_constant_bytes_ = 0;
  std::vector<Binding> bindings_;
  std::uint32_t workgroup_size_[3] = {1, 1, 1};
};

}  // namespace vitrine::gpu
