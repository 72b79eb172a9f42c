// Vulkan Memory Allocator, configured once: Vulkan 1.3 entry points of the loader that we link.
#pragma once

#include "gpu/vulkan.h"

#define VMA_VULKAN_VERSION 1003000
#define VMA_STATIC_VULKAN_FUNCTIONS 1
#define VMA_DYNAMIC_VULKAN_FUNCTIONS 0
#include <vk_mem_alloc.h>
