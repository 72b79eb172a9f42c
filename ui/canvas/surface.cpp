#include "ui/canvas/surface.h"

#include <QGuiApplication>
#include <QVulkanInstance>

namespace vitrine::ui {

std::vector<const char*> surfaceExtensions() {
  const QString platform = QGuiApplication::platformName();
  if (platform == "xcb") return {"VK_KHR_surface", "VK_KHR_xcb_surface"};
  if (platform.startsWith("wayland")) return {"VK_KHR_surface", "VK_KHR_wayland_surface"};
  if (platform == "windows") return {"VK_KHR_surface", "VK_KHR_win32_surface"};
  if (platform == "cocoa") return {"VK_KHR_surface", "VK_EXT_metal_surface"};
  return {};
}

Result<std::unique_ptr<QVulkanInstance>> wrapInstance(const gpu::Device& device) {
  auto instance = std::make_unique<QVulkanInstance>();
  instance->setVkInstance(device.instance());
  if (!instance->create())
    return fail(ErrorCode::kUnsupported, "Qt's platform {} cannot draw on the Vulkan instance (VkResult {})",
                QGuiApplication::platformName().toStdString(), int(instance->errorCode()));
  return instance;
}

}  // namespace vitrine::ui
