// The driver's pipeline cache on disk, one file a device and driver. Private to gpu/.
//
// The file is a header of ours (magic, device, driver, size, checksum) and the driver's bytes; a file that
// does not match in every field is ignored, because drivers have crashed on damaged caches.
#pragma once

#include <string>

#include "gpu/device_profile.h"
#include "gpu/error.h"
#include "gpu/vulkan.h"

namespace vitrine::gpu {

// `base` with the identity of device and driver in its name; empty stays empty.
std::string pipelineCachePath(const std::string& base, const DeviceProfile& profile);

// A cache filled from `path` where that is usable, else an empty one.
Result<VkPipelineCache> loadPipelineCache(VkDevice device, const DeviceProfile& profile,
                                          const std::string& path);

// Writes beside `path` and renames, so that readers see the old or the new file. Makes the folder.
Result<void> storePipelineCache(VkDevice device, VkPipelineCache cache, const DeviceProfile& profile,
                                const std::string& path);

}  // namespace vitrine::gpu
