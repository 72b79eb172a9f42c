#include "gpu/device_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <thread>

#include "gpu/spirv_capabilities.h"

namespace vitrine::gpu {
namespace {

class Extensions {
 public:
  explicit Extensions(VkPhysicalDevice physical) {
    std::uint32_t count = 0;
    vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr);
    found_.resize(count);
    vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, found_.data());
    found_.resize(count);
  }
  bool has(std::string_view name) const {
    return std::any_of(found_.begin(), found_.end(),
                       [&](const auto& it) { return name == it.extensionName; });
  }

 private:
  std::vector<VkExtensionProperties> found_;
};

// Does the device multiply 16 x 16 x 16 tiles of f16 into f32, a subgroup at a time?
bool hasMatrixShape(VkInstance instance, VkPhysicalDevice physical) {
  const auto query = reinterpret_cast<PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR>(
      vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
  if (!query) return false;
  std::uint32_t count = 0;
  if (query(physical, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkCooperativeMatrixPropertiesKHR> shapes(
      count, VkCooperativeMatrixPropertiesKHR{.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR});
  if (query(physical, &count, shapes.data()) < VK_SUCCESS) return false;
  return std::any_of(shapes.begin(), shapes.end(), [](const VkCooperativeMatrixPropertiesKHR& it) {
    return it.MSize == 16 && it.NSize == 16 && it.KSize == 16 && it.AType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
           it.BType == VK_COMPONENT_TYPE_FLOAT16_KHR && it.CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
           it.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && it.scope == VK_SCOPE_SUBGROUP_KHR;
  });
}

// Of what the device has, what Vitrine uses.
FeatureChain wanted(const FeatureChain& has) {
  FeatureChain on;
#define VITRINE_WANT(block, feature) on.block.feature = has.block.feature
  VITRINE_WANT(core.features, shaderInt64);
  VITRINE_WANT(core.features, shaderInt16);
  VITRINE_WANT(core.features, shaderFloat64);
  VITRINE_WANT(core.features, shaderStorageImageExtendedFormats);
  VITRINE_WANT(core.features, shaderStorageImageReadWithoutFormat);
  VITRINE_WANT(core.features, shaderStorageImageWriteWithoutFormat);
  VITRINE_WANT(v11, storageBuffer16BitAccess);
  VITRINE_WANT(v11, uniformAndStorageBuffer16BitAccess);
  VITRINE_WANT(v11, storagePushConstant16);
  VITRINE_WANT(v12, storageBuffer8BitAccess);
  VITRINE_WANT(v12, uniformAndStorageBuffer8BitAccess);
  VITRINE_WANT(v12, storagePushConstant8);
  VITRINE_WANT(v12, shaderBufferInt64Atomics);
  VITRINE_WANT(v12, shaderSharedInt64Atomics);
  VITRINE_WANT(v12, shaderFloat16);
  VITRINE_WANT(v12, shaderInt8);
  VITRINE_WANT(v12, scalarBlockLayout);
  VITRINE_WANT(v12, shaderSubgroupExtendedTypes);
  VITRINE_WANT(v12, hostQueryReset);
  VITRINE_WANT(v12, timelineSemaphore);
  VITRINE_WANT(v12, bufferDeviceAddress);
  VITRINE_WANT(v12, vulkanMemoryModel);
  VITRINE_WANT(v12, vulkanMemoryModelDeviceScope);
  VITRINE_WANT(v13, subgroupSizeControl);
  VITRINE_WANT(v13, computeFullSubgroups);
  VITRINE_WANT(v13, synchronization2);
  VITRINE_WANT(v13, dynamicRendering);
  VITRINE_WANT(v13, shaderIntegerDotProduct);
  VITRINE_WANT(v13, maintenance4);
  VITRINE_WANT(cooperative_matrix, cooperativeMatrix);
  on.cooperative_matrix2 = has.cooperative_matrix2;
#undef VITRINE_WANT
  return on;
}

// The required features that are not there, named as the specification does.
std::string missingFeatures(const FeatureChain& on) {
  std::string missing;
  const auto require = [&](VkBool32 present, std::string_view feature) {
    if (!present) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", feature);
  };
  require(on.core.features.shaderInt64, "shaderInt64");
  require(on.v12.bufferDeviceAddress, "bufferDeviceAddress");
  require(on.v12.scalarBlockLayout, "scalarBlockLayout");
  require(on.v12.timelineSemaphore, "timelineSemaphore");
  require(on.v12.hostQueryReset, "hostQueryReset");
  require(on.v13.synchronization2, "synchronization2");
  require(on.v13.maintenance4, "maintenance4");
  return missing;
}

// Streaming multiprocessors, compute units, or the threads of a software device; 0 where no driver tells.
std::uint32_t computeUnits(VkPhysicalDevice physical, const Extensions& extensions, bool software) {
  if (software) return std::max(1u, std::thread::hardware_concurrency());
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nvidia{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV};
  VkPhysicalDeviceShaderCorePropertiesAMD amd{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD};
  if (extensions.has(VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME)) {
    properties.pNext = &nvidia;
    vkGetPhysicalDeviceProperties2(physical, &properties);
    return nvidia.shaderSMCount;
  }
  if (extensions.has(VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME)) {
    properties.pNext = &amd;
    vkGetPhysicalDeviceProperties2(physical, &properties);
    return amd.shaderEngineCount * amd.shaderArraysPerEngineCount * amd.computeUnitsPerShaderArray;
  }
  return 0;
}

// A family that draws and computes; on a device without graphics one that computes.
bool chooseQueue(VkPhysicalDevice physical, DeviceProfile& profile) {
  std::uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
  for (const VkQueueFlags flags : {VK_QUEUE_COMPUTE_BIT | VK_QUEUE_GRAPHICS_BIT, VK_QUEUE_COMPUTE_BIT + 0}) {
    for (std::uint32_t i = 0; i < count; ++i) {
      if ((families[i].queueFlags & flags) != flags) continue;
      profile.queue_family = i;
      profile.timestamp_bits = families[i].timestampValidBits;
      return true;
    }
  }
  return false;
}

void describe(VkPhysicalDevice physical, const Extensions& extensions, DeviceProfile& profile) {
  VkPhysicalDeviceVulkan11Properties v11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
  VkPhysicalDeviceVulkan12Properties v12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES};
  VkPhysicalDeviceVulkan13Properties v13{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                         .pNext = &v11};
  v11.pNext = &v12;
  v12.pNext = &v13;
  vkGetPhysicalDeviceProperties2(physical, &properties);
  const VkPhysicalDeviceProperties& core = properties.properties;
  profile.limits = core.limits;
  profile.driver_version = core.driverVersion;
  std::copy_n(core.pipelineCacheUUID, VK_UUID_SIZE, profile.driver_key);

  DeviceInfo& info = profile.info;
  info.name = core.deviceName;
  info.driver = fmt::format("{} {}", v12.driverName, v12.driverInfo);
  info.type = core.deviceType;
  info.software = core.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  info.vendor_id = core.vendorID;
  info.device_id = core.deviceID;
  info.subgroup_size = v11.subgroupSize;
  info.compute_units = computeUnits(physical, extensions, info.software);
  info.shared_memory_bytes = core.limits.maxComputeSharedMemorySize;
  info.max_push_constants = core.limits.maxPushConstantsSize;
  info.max_texel_elements = core.limits.maxTexelBufferElements;
  info.max_allocation_bytes = std::min(v11.maxMemoryAllocationSize, v13.maxBufferSize);
  info.max_storage_buffer_range = core.limits.maxStorageBufferRange;
  info.texel_alignment = static_cast<std::uint32_t>(core.limits.minTexelBufferOffsetAlignment);
  info.timestamp_period_ns = core.limits.timestampPeriod;
  profile.subgroup_size_varies = v13.minSubgroupSize != v13.maxSubgroupSize &&
                                 (v13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);

  VkPhysicalDeviceMemoryProperties memory{};
  vkGetPhysicalDeviceMemoryProperties(physical, &memory);
  for (std::uint32_t i = 0; i < memory.memoryHeapCount; ++i)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      profile.local_memory = std::max<std::uint64_t>(profile.local_memory, memory.memoryHeaps[i].size);
}

void lookUpFeatures(VkInstance instance, const Extensions& extensions, DeviceProfile& profile) {
  for (const char* optional : {VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME,
                               VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME,
                               VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME, VK_KHR_SWAPCHAIN_EXTENSION_NAME})
    if (extensions.has(optional)) profile.extensions.push_back(optional);

  const bool matrix = extensions.has(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
  FeatureChain has;
  const bool matrix2 = matrix && extensions.has(VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME);
  has.link(matrix, matrix2);
  vkGetPhysicalDeviceFeatures2(profile.physical, &has.core);
  profile.enabled = wanted(has);
  const FeatureChain& on = profile.enabled;
  profile.missing = missingFeatures(on);

  Features& features = profile.info.features;
  features.push_descriptors = extensions.has(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
  features.storage_16bit = on.v11.storageBuffer16BitAccess;
  features.storage_8bit = on.v12.storageBuffer8BitAccess;
  features.float16 = on.v12.shaderFloat16;
  features.int8 = on.v12.shaderInt8;
  features.float64 = on.core.features.shaderFloat64;
  features.integer_dot_product = on.v13.shaderIntegerDotProduct;
  features.cooperative_matrix = on.cooperative_matrix.cooperativeMatrix && on.v12.vulkanMemoryModel &&
                                hasMatrixShape(instance, profile.physical);
  const auto& second = on.cooperative_matrix2;
  features.cooperative_matrix2 =
      features.cooperative_matrix && matrix2 && second.cooperativeMatrixWorkgroupScope &&
      second.cooperativeMatrixFlexibleDimensions && second.cooperativeMatrixReductions &&
      second.cooperativeMatrixConversions && second.cooperativeMatrixPerElementOperations &&
      second.cooperativeMatrixTensorAddressing && second.cooperativeMatrixBlockLoads;
  if (features.cooperative_matrix2) profile.extensions.push_back(VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME);
  features.memory_budget = extensions.has(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  features.timestamps = profile.timestamp_bits > 0;
  features.subgroup_size_control = on.v13.subgroupSizeControl && on.v13.computeFullSubgroups;
  features.external_memory_host = extensions.has(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  features.swapchain = extensions.has(VK_KHR_SWAPCHAIN_EXTENSION_NAME);
}

int rank(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 4;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 3;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

void FeatureChain::link(bool with_matrix, bool with_matrix2) {
  core.pNext = &v11;
  v11.pNext = &v12;
  v12.pNext = &v13;
  v13.pNext = with_matrix ? &cooperative_matrix : nullptr;
  cooperative_matrix.pNext = with_matrix && with_matrix2 ? &cooperative_matrix2 : nullptr;
  cooperative_matrix2.pNext = nullptr;
}

DeviceProfile profileOf(VkInstance instance, VkPhysicalDevice physical, std::uint32_t index) {
  DeviceProfile profile;
  profile.physical = physical;
  profile.info.index = index;
  VkPhysicalDeviceProperties core{};
  vkGetPhysicalDeviceProperties(physical, &core);
  if (core.apiVersion < VK_API_VERSION_1_3) {
    profile.info.name = core.deviceName;
    profile.info.type = core.deviceType;
    profile.missing = fmt::format("Vulkan 1.3 (it offers {}.{})", VK_API_VERSION_MAJOR(core.apiVersion),
                                  VK_API_VERSION_MINOR(core.apiVersion));
    return profile;
  }
  const Extensions extensions(physical);
  describe(physical, extensions, profile);
  const bool queue = chooseQueue(physical, profile);
  lookUpFeatures(instance, extensions, profile);
  if (!queue) profile.missing = "a compute queue";
  profile.spirv_capabilities = enabledSpirvCapabilities(profile);
  return profile;
}

Result<std::vector<DeviceProfile>> profileAll(VkInstance instance) {
  std::uint32_t count = 0;
  TRY(check(vkEnumeratePhysicalDevices(instance, &count, nullptr), "listing the Vulkan devices"));
  std::vector<VkPhysicalDevice> devices(count);
  TRY(check(vkEnumeratePhysicalDevices(instance, &count, devices.data()), "listing the Vulkan devices"));
  std::vector<DeviceProfile> profiles;
  for (std::uint32_t i = 0; i < count; ++i) profiles.push_back(profileOf(instance, devices[i], i));
  return profiles;
}

void leaveOutFloat64(DeviceProfile& profile) {
  profile.enabled.core.features.shaderFloat64 = VK_FALSE;
  profile.info.features.float64 = false;
  profile.spirv_capabilities = enabledSpirvCapabilities(profile);
}

bool better(const DeviceProfile& a, const DeviceProfile& b) {
  const int rank_a = rank(a.info.type), rank_b = rank(b.info.type);
  return rank_a != rank_b ? rank_a > rank_b : a.local_memory > b.local_memory;
}

}  // namespace vitrine::gpu
