// What a physical device offers, and what of it Device::create turns on. Private to gpu/.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gpu/device.h"

namespace vitrine::gpu {

// The feature structs of one device, chained by link() (a copy must be linked again).
struct FeatureChain {
  VkPhysicalDeviceFeatures2 core{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  VkPhysicalDeviceVulkan11Features v11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
  VkPhysicalDeviceVulkan12Features v12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceVulkan13Features v13{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR cooperative_matrix{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR};

  VkPhysicalDeviceCooperativeMatrix2FeaturesNV cooperative_matrix2{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV};

  // The structs of the matrix extensions only where those exist: elsewhere the validation layer rejects them.
  void link(bool with_matrix, bool with_matrix2);
};

struct DeviceProfile {
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  DeviceInfo info;
  VkPhysicalDeviceLimits limits{};
  std::uint64_t local_memory = 0;  // the largest device-local heap, bytes
  std::uint32_t queue_family = 0;
  std::uint32_t timestamp_bits = 0;
  std::uint8_t driver_key[VK_UUID_SIZE] = {};  // pipelineCacheUUID
  std::uint32_t driver_version = 0;
  bool subgroup_size_varies = false;           // and a kernel can require one
  FeatureChain enabled;                        // the wanted features that are there
  std::vector<const char*> extensions;         // the wanted extensions that are there
  std::set<std::uint32_t> spirv_capabilities;  // what shaders may declare with those enabled
  std::string missing;                         // what Vitrine requires and the device lacks; empty: usable
};

// Looks the device up; never fails: what is missing is named in `missing`.
DeviceProfile profileOf(VkInstance instance, VkPhysicalDevice physical, std::uint32_t index);

// Every device of the instance, in the driver's order (which DeviceInfo::index counts).
Result<std::vector<DeviceProfile>> profileAll(VkInstance instance);

// As if the device had no double precision.
void leaveOutFloat64(DeviceProfile& profile);

// Discrete before integrated before virtual before software; more memory first among equals.
bool better(const DeviceProfile& a, const DeviceProfile& b);

}  // namespace vitrine::gpu
