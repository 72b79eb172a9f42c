// The one place that includes Vulkan: before any Qt header, which would define VK_NO_PROTOTYPES.
#pragma once

#include <vulkan/vulkan.h>

#include <string_view>

#include "gpu/error.h"

namespace vitrine::gpu {

std::string_view name(VkResult result);  // "VK_ERROR_DEVICE_LOST"

// Turns a VkResult into a Result: kOutOfMemory, kDevice (also for a lost device, saying so) or success.
Result<void> check(VkResult result, std::string_view what);

}  // namespace vitrine::gpu
