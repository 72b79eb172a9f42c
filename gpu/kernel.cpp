#include "gpu/kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gpu/reflection.h"
#include "gpu/shader_binary.h"
#include "gpu/spirv_capabilities.h"

namespace vitrine::gpu {
namespace {

constexpr std::size_t kMaxBindings = 32;  // the least maxPushDescriptors that VK_KHR_push_descriptor allows

VkDescriptorType descriptorType(BindingKind kind) {
  switch (kind) {
    case BindingKind::kTexelBuffer:
      return VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
    case BindingKind::kStorageImage:
      return VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
    case BindingKind::kSampledImage:
      return VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    case BindingKind::kStorageBuffer:
      return VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  }
  return VK_DESCRIPTOR_TYPE_MAX_ENUM;
}

// Refuses what the driver would crash on or compute wrongly.
Result<void> checkAgainst(const Device& device, const Reflection& shader, const std::string& name) {
  const DeviceInfo& info = device.info();
  const auto refuse = [&](const std::string& needs, const std::string& has) {
    return fail(ErrorCode::kUnsupported, "kernel {} needs {}, {} has {}", name, needs, info.name, has);
  };
  for (const std::uint32_t capability : shader.capabilities)
    if (!device.allowsSpirvCapability(capability)) return refuse(spirvCapabilityName(capability), "none");
  const VkPhysicalDeviceLimits& limits = device.limits();
  std::uint64_t invocations = 1;
  for (int axis = 0; axis < 3; ++axis) {
    const std::uint32_t size = shader.workgroup_size[axis];
    invocations *= size;
    if (size == 0 || size > limits.maxComputeWorkGroupSize[axis])
      return refuse(fmt::format("workgroups {} wide on axis {}", size, axis),
                    fmt::format("1 to {}", limits.maxComputeWorkGroupSize[axis]));
  }
  if (invocations > limits.maxComputeWorkGroupInvocations)
    return refuse(fmt::format("workgroups of {} invocations", invocations),
                  fmt::format("at most {}", limits.maxComputeWorkGroupInvocations));
  if (shader.shared_bytes > info.shared_memory_bytes)
    return refuse(fmt::format("{} bytes of shared memory", shader.shared_bytes),
                  std::to_string(info.shared_memory_bytes));
  if (shader.push_constant_bytes > info.max_push_constants)
    return refuse(fmt::format("{} bytes of push constants", shader.push_constant_bytes),
                  std::to_string(info.max_push_constants));
  if (!shader.bindings.empty() && !info.features.push_descriptors)
    return refuse("VK_KHR_push_descriptor", "none");
  if (shader.bindings.size() > kMaxBindings)
    return refuse(fmt::format("{} bindings", shader.bindings.size()), fmt::format("{}", kMaxBindings));
  for (std::size_t i = 1; i < shader.bindings.size(); ++i)
    if (shader.bindings[i].index == shader.bindings[i - 1].index)
      return fail(ErrorCode::kUnsupported, "kernel {}: binding {} is declared twice", name,
                  shader.bindings[i].index);
  return {};
}

Result<VkDescriptorSetLayout> makeSetLayout(const Device& device, const std::vector<Binding>& bindings) {
  std::vector<VkDescriptorSetLayoutBinding> rows;
  for (const Binding& it : bindings)
    rows.push_back({it.index, descriptorType(it.kind), 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
  VkDescriptorSetLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  info.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR;
  info.bindingCount = static_cast<std::uint32_t>(rows.size());
  info.pBindings = rows.data();
  VkDescriptorSetLayout layout = VK_NULL_HANDLE;
  TRY(check(vkCreateDescriptorSetLayout(device.handle(), &info, nullptr, &layout),
            "creating a descriptor layout"));
  return layout;
}

Result<VkPipelineLayout> makeLayout(const Device& device, VkDescriptorSetLayout set,
                                    std::uint32_t push_bytes) {
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, (push_bytes + 3) / 4 * 4};
  VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  info.setLayoutCount = set == VK_NULL_HANDLE ? 0 : 1;
  info.pSetLayouts = &set;
  info.pushConstantRangeCount = push_bytes > 0 ? 1 : 0;
  info.pPushConstantRanges = &range;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  TRY(check(vkCreatePipelineLayout(device.handle(), &info, nullptr, &layout), "creating a pipeline layout"));
  return layout;
}

Result<VkPipeline> makePipeline(const Device& device, VkPipelineLayout layout,
                                std::span<const std::uint32_t> words,
                                std::span<const Specialization> constants, std::uint32_t workgroup_width) {
  VkShaderModuleCreateInfo module_info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
  module_info.codeSize = words.size_bytes();
  module_info.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  TRY(check(vkCreateShaderModule(device.handle(), &module_info, nullptr, &module),
            "creating a shader module"));

  std::vector<VkSpecializationMapEntry> entries;
  std::vector<std::uint32_t> values;
  for (const Specialization& it : constants) {
    entries.push_back({it.id, static_cast<std::uint32_t>(values.size() * 4), 4});
    values.push_back(it.value);
  }
  const VkSpecializationInfo specialization{static_cast<std::uint32_t>(entries.size()), entries.data(),
                                            values.size() * 4, values.data()};
  VkComputePipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.layout = layout;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &specialization;
  // Without this a driver with several subgroup sizes may choose another than DeviceInfo::subgroup_size.
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO};
  subgroup.requiredSubgroupSize = device.info().subgroup_size;
  if (device.requiresSubgroupSize()) info.stage.pNext = &subgroup;
  if (device.info().features.subgroup_size_control && workgroup_width % device.info().subgroup_size == 0)
    info.stage.flags |= VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result =
      vkCreateComputePipelines(device.handle(), device.pipelineCache(), 1, &info, nullptr, &pipeline);
  vkDestroyShaderModule(device.handle(), module, nullptr);
  TRY(check(result, "compiling the shader"));
  return pipeline;
}

}  // namespace

Result<Kernel> Kernel::create(Device& device, std::string_view name, std::string_view variant,
                              std::span<const Specialization> constants) {
  for (const ShaderBinary& binary : shaderBinaries()) {
    if (binary.name != name || binary.variant != variant || binary.words.empty()) continue;
    return fromSpirv(device, binary.words,
                     variant.empty() ? std::string(name) : fmt::format("{}:{}", name, variant), constants);
  }
  return fail(ErrorCode::kNotFound,
              "this build has no shader {}{}{}: its glslc may be too old for that variant", name,
              variant.empty() ? "" : ":", variant);
}

Result<Kernel> Kernel::fromSpirv(Device& device, std::span<const std::uint32_t> words, std::string name,
                                 std::span<const Specialization> constants) {
  TRY_ASSIGN(Reflection shader, reflect(words, constants, name));
  TRY(checkAgainst(device, shader, name));
  Kernel kernel;
  kernel.device_ = &device;
  kernel.name_ = std::move(name);
  kernel.push_constant_bytes_ = shader.push_constant_bytes;
  kernel.bindings_ = std::move(shader.bindings);
  std::copy_n(shader.workgroup_size.begin(), 3, kernel.workgroup_size_);
  if (!kernel.bindings_.empty()) {
    TRY_ASSIGN(kernel.set_layout_, makeSetLayout(device, kernel.bindings_));
  }
  TRY_ASSIGN(kernel.layout_, makeLayout(device, kernel.set_layout_, kernel.push_constant_bytes_));
  auto pipeline = makePipeline(device, kernel.layout_, words, constants, kernel.workgroup_size_[0]);
  if (!pipeline) return within(fmt::format("kernel {}", kernel.name_), pipeline.error());
  kernel.pipeline_ = *pipeline;
  device.setName(VK_OBJECT_TYPE_PIPELINE, reinterpret_cast<std::uint64_t>(kernel.pipeline_), kernel.name_);
  return kernel;
}

Kernel::Kernel(Kernel&& other) noexcept {
  *this = std::move(other);
}

Kernel& Kernel::operator=(Kernel&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = std::exchange(other.device_, nullptr);
  name_ = std::exchange(other.name_, {});
  pipeline_ = std::exchange(other.pipeline_, VK_NULL_HANDLE);
  layout_ = std::exchange(other.layout_, VK_NULL_HANDLE);
  set_layout_ = std::exchange(other.set_layout_, VK_NULL_HANDLE);
  push_constant_bytes_ = std::exchange(other.push_constant_bytes_, 0);
  bindings_ = std::exchange(other.bindings_, {});
  std::copy_n(other.workgroup_size_, 3, workgroup_size_);
  return *this;
}

Kernel::~Kernel() {
  release();
}

void Kernel::release() {
  if (!device_) return;
  device_->destroyLater(
      [device = device_->handle(), pipeline = pipeline_, layout = layout_, set = set_layout_] {
        vkDestroyPipeline(device, pipeline, nullptr);
        vkDestroyPipelineLayout(device, layout, nullptr);
        vkDestroyDescriptorSetLayout(device, set, nullptr);
      });
  device_ = nullptr;
  pipeline_ = VK_NULL_HANDLE;
}

}  // namespace vitrine::gpu
