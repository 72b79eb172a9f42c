#include "gpu/spirv_capabilities.h"

#define SPV_ENABLE_UTILITY_CODE
#include <fmt/format.h>
#include <spirv/unified1/spirv.hpp11>

#include <cstring>

#include "gpu/device_profile.h"

namespace vitrine::gpu {
namespace {

// What decides whether a capability may be used.
struct Context {
  const FeatureChain& on;
  const Features& features;
  VkSubgroupFeatureFlags subgroup;
  const VkPhysicalDeviceVulkan12Properties& properties;
};

struct Row {
  spv::Capability capability;
  bool (*enabled)(const Context&);
};

constexpr bool always(const Context&) {
  return true;
}

template <VkSubgroupFeatureFlagBits flag>
bool subgroup(const Context& at) {
  return at.subgroup & flag;
}

constexpr Row kRows[] = {
    {spv::Capability::Matrix, always},
    {spv::Capability::Shader, always},
    {spv::Capability::Float16, [](const Context& at) { return bool(at.on.v12.shaderFloat16); }},
    {spv::Capability::Float64, [](const Context& at) { return bool(at.on.core.features.shaderFloat64); }},
    {spv::Capability::Int64, [](const Context& at) { return bool(at.on.core.features.shaderInt64); }},
    {spv::Capability::Int64Atomics,
     [](const Context& at) { return bool(at.on.v12.shaderBufferInt64Atomics); }},
    {spv::Capability::Int16, [](const Context& at) { return bool(at.on.core.features.shaderInt16); }},
    {spv::Capability::Int8, [](const Context& at) { return bool(at.on.v12.shaderInt8); }},
    {spv::Capability::Sampled1D, always},
    {spv::Capability::Image1D, always},
    {spv::Capability::SampledBuffer, always},
    {spv::Capability::ImageBuffer, always},
    {spv::Capability::StorageImageExtendedFormats,
     [](const Context& at) { return bool(at.on.core.features.shaderStorageImageExtendedFormats); }},
    {spv::Capability::ImageQuery, always},
    {spv::Capability::DerivativeControl, always},
    {spv::Capability::StorageImageReadWithoutFormat,
     [](const Context& at) { return bool(at.on.core.features.shaderStorageImageReadWithoutFormat); }},
    {spv::Capability::StorageImageWriteWithoutFormat,
     [](const Context& at) { return bool(at.on.core.features.shaderStorageImageWriteWithoutFormat); }},
    {spv::Capability::GroupNonUniform, subgroup<VK_SUBGROUP_FEATURE_BASIC_BIT>},
    {spv::Capability::GroupNonUniformVote, subgroup<VK_SUBGROUP_FEATURE_VOTE_BIT>},
    {spv::Capability::GroupNonUniformArithmetic, subgroup<VK_SUBGROUP_FEATURE_ARITHMETIC_BIT>},
    {spv::Capability::GroupNonUniformBallot, subgroup<VK_SUBGROUP_FEATURE_BALLOT_BIT>},
    {spv::Capability::GroupNonUniformShuffle, subgroup<VK_SUBGROUP_FEATURE_SHUFFLE_BIT>},
    {spv::Capability::GroupNonUniformShuffleRelative, subgroup<VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT>},
    {spv::Capability::GroupNonUniformClustered, subgroup<VK_SUBGROUP_FEATURE_CLUSTERED_BIT>},
    {spv::Capability::GroupNonUniformQuad, subgroup<VK_SUBGROUP_FEATURE_QUAD_BIT>},
    {spv::Capability::StorageBuffer16BitAccess,
     [](const Context& at) { return bool(at.on.v11.storageBuffer16BitAccess); }},
    {spv::Capability::UniformAndStorageBuffer16BitAccess,
     [](const Context& at) { return bool(at.on.v11.uniformAndStorageBuffer16BitAccess); }},
    {spv::Capability::StoragePushConstant16,
     [](const Context& at) { return bool(at.on.v11.storagePushConstant16); }},
    {spv::Capability::StorageBuffer8BitAccess,
     [](const Context& at) { return bool(at.on.v12.storageBuffer8BitAccess); }},
    {spv::Capability::UniformAndStorageBuffer8BitAccess,
     [](const Context& at) { return bool(at.on.v12.uniformAndStorageBuffer8BitAccess); }},
    {spv::Capability::StoragePushConstant8,
     [](const Context& at) { return bool(at.on.v12.storagePushConstant8); }},
    {spv::Capability::DenormPreserve,
     [](const Context& at) { return bool(at.properties.shaderDenormPreserveFloat32); }},
    {spv::Capability::DenormFlushToZero,
     [](const Context& at) { return bool(at.properties.shaderDenormFlushToZeroFloat32); }},
    {spv::Capability::SignedZeroInfNanPreserve,
     [](const Context& at) { return bool(at.properties.shaderSignedZeroInfNanPreserveFloat32); }},
    {spv::Capability::RoundingModeRTE,
     [](const Context& at) { return bool(at.properties.shaderRoundingModeRTEFloat32); }},
    {spv::Capability::RoundingModeRTZ,
     [](const Context& at) { return bool(at.properties.shaderRoundingModeRTZFloat32); }},
    {spv::Capability::VulkanMemoryModel, [](const Context& at) { return bool(at.on.v12.vulkanMemoryModel); }},
    {spv::Capability::VulkanMemoryModelDeviceScope,
     [](const Context& at) { return bool(at.on.v12.vulkanMemoryModelDeviceScope); }},
    {spv::Capability::PhysicalStorageBufferAddresses,
     [](const Context& at) { return bool(at.on.v12.bufferDeviceAddress); }},
    {spv::Capability::DotProductInputAll, [](const Context& at) { return at.features.integer_dot_product; }},
    {spv::Capability::DotProductInput4x8Bit,
     [](const Context& at) { return at.features.integer_dot_product; }},
    {spv::Capability::DotProductInput4x8BitPacked,
     [](const Context& at) { return at.features.integer_dot_product; }},
    {spv::Capability::DotProduct, [](const Context& at) { return at.features.integer_dot_product; }},
    {spv::Capability::CooperativeMatrixKHR, [](const Context& at) { return at.features.cooperative_matrix; }},
    {spv::Capability::CooperativeMatrixReductionsNV,
     [](const Context& at) { return at.features.cooperative_matrix2; }},
    {spv::Capability::CooperativeMatrixConversionsNV,
     [](const Context& at) { return at.features.cooperative_matrix2; }},
    {spv::Capability::CooperativeMatrixPerElementOperationsNV,
     [](const Context& at) { return at.features.cooperative_matrix2; }},
    {spv::Capability::CooperativeMatrixTensorAddressingNV,
     [](const Context& at) { return at.features.cooperative_matrix2; }},
    {spv::Capability::CooperativeMatrixBlockLoadsNV,
     [](const Context& at) { return at.features.cooperative_matrix2; }},
    {spv::Capability::TensorAddressingNV, [](const Context& at) { return at.features.cooperative_matrix2; }},
};

}  // namespace

std::set<std::uint32_t> enabledSpirvCapabilities(const DeviceProfile& profile) {
  VkPhysicalDeviceVulkan11Properties v11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
  VkPhysicalDeviceVulkan12Properties v12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                         .pNext = &v11};
  v11.pNext = &v12;
  vkGetPhysicalDeviceProperties2(profile.physical, &properties);
  const bool compute = v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT;
  const Context context{profile.enabled, profile.info.features, compute ? v11.subgroupSupportedOperations : 0,
                        v12};
  std::set<std::uint32_t> enabled;
  for (const Row& row : kRows)
    if (row.enabled(context)) enabled.insert(static_cast<std::uint32_t>(row.capability));
  return enabled;
}

std::string spirvCapabilityName(std::uint32_t capability) {
  const char* name = spv::CapabilityToString(static_cast<spv::Capability>(capability));
  if (std::strcmp(name, "Unknown") != 0) return name;
  return fmt::format("SPIR-V capability {}", capability);
}

}  // namespace vitrine::gpu
