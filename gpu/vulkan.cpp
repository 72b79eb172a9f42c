#include "gpu/vulkan.h"

namespace vitrine::gpu {

std::string_view name(VkResult result) {
  switch (result) {
#define VITRINE_RESULT(value) \
  case value:                 \
    return #value;
    VITRINE_RESULT(VK_SUCCESS)
    VITRINE_RESULT(VK_NOT_READY)
    VITRINE_RESULT(VK_TIMEOUT)
    VITRINE_RESULT(VK_INCOMPLETE)
    VITRINE_RESULT(VK_ERROR_OUT_OF_HOST_MEMORY)
    VITRINE_RESULT(VK_ERROR_OUT_OF_DEVICE_MEMORY)
    VITRINE_RESULT(VK_ERROR_INITIALIZATION_FAILED)
    VITRINE_RESULT(VK_ERROR_DEVICE_LOST)
    VITRINE_RESULT(VK_ERROR_MEMORY_MAP_FAILED)
    VITRINE_RESULT(VK_ERROR_LAYER_NOT_PRESENT)
    VITRINE_RESULT(VK_ERROR_EXTENSION_NOT_PRESENT)
    VITRINE_RESULT(VK_ERROR_FEATURE_NOT_PRESENT)
    VITRINE_RESULT(VK_ERROR_INCOMPATIBLE_DRIVER)
    VITRINE_RESULT(VK_ERROR_TOO_MANY_OBJECTS)
    VITRINE_RESULT(VK_ERROR_FORMAT_NOT_SUPPORTED)
    VITRINE_RESULT(VK_ERROR_FRAGMENTED_POOL)
    VITRINE_RESULT(VK_ERROR_OUT_OF_POOL_MEMORY)
    VITRINE_RESULT(VK_ERROR_FRAGMENTATION)
    VITRINE_RESULT(VK_ERROR_INVALID_SHADER_NV)
    VITRINE_RESULT(VK_ERROR_SURFACE_LOST_KHR)
    VITRINE_RESULT(VK_ERROR_NATIVE_WINDOW_IN_USE_KHR)
    VITRINE_RESULT(VK_SUBOPTIMAL_KHR)
    VITRINE_RESULT(VK_ERROR_OUT_OF_DATE_KHR)
#undef VITRINE_RESULT
    default:
      return "an unnamed VkResult";
  }
}

Result<void> check(VkResult result, std::string_view what) {
  switch (result) {
    case VK_SUCCESS:
      return {};
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      return fail(ErrorCode::kOutOfMemory, "{}: out of host memory", what);
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return fail(ErrorCode::kOutOfMemory, "{}: out of device memory", what);
    case VK_ERROR_DEVICE_LOST:
      return fail(
          ErrorCode::kDevice,
          "{}: the device was lost (VK_ERROR_DEVICE_LOST): its driver was reset, or a kernel ran too long "
          "or out of bounds; start Vitrine again",
          what);
    default:
      return fail(ErrorCode::kDevice, "{}: Vulkan returned {} ({})", what, name(result),
                  static_cast<int>(result));
  }
}

}  // namespace vitrine::gpu
