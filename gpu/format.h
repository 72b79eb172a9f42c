// Sizes of the formats that texel views and images use. Private to gpu/.
#pragma once

#include <cstdint>

#include "gpu/vulkan.h"

namespace vitrine::gpu {

// Bytes of one texel, 0 for a format that is not in the table.
std::uint32_t texelBytes(VkFormat format);

}  // namespace vitrine::gpu
