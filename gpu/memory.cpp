// The one translation unit that compiles Vulkan Memory Allocator; its warnings are silenced here and nowhere
// else.
#include "gpu/vulkan.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#define VMA_IMPLEMENTATION
#include "gpu/memory.h"
#pragma GCC diagnostic pop
