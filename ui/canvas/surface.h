// What a window needs to be drawn on by the engine's own Vulkan device.
#pragma once

#include <memory>
#include <vector>

#include "gpu/device.h"

class QVulkanInstance;

namespace vitrine::ui {

// Instance extensions that Qt's platform needs for Vulkan surfaces: for DeviceOptions::instance_extensions
// (with DeviceOptions::presentation). Empty where there are no windows to draw on (offscreen). After
// QGuiApplication.
std::vector<const char*> surfaceExtensions();

// Qt's view of the engine's VkInstance, which stays the device's. One serves all windows; it must outlive
// them.
Result<std::unique_ptr<QVulkanInstance>> wrapInstance(const gpu::Device& device);

}  // namespace vitrine::ui
