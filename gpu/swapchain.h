// Frames shown in a window: a swapchain on a surface that ui made, one render pass into it, frames in flight.
//
//   TRY_ASSIGN(std::optional<Frame> frame, swapchain->beginFrame());
//   if (!frame) return;                       // nothing to draw on just now (minimized, or no image free
//   yet)
//   ... record copies or compute into frame->commands ...
//   swapchain->beginPass(*frame, clear);
//   ImGui_ImplVulkan_RenderDrawData(data, frame->commands);
//   TRY(swapchain->endFrame(*frame));         // ends the pass, submits on the device's timeline, presents
//
// One thread (the UI's) uses it; the queue's lock is taken inside. Everything that compute submissions wrote
// before the frame is visible to its shaders. The surface stays the caller's and must outlive the swapchain.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gpu/buffer.h"
#include "gpu/device.h"

namespace vitrine::gpu {

enum class PresentMode {
  kFifo,     // in step with the display, never torn; every device has it
  kMailbox,  // the newest frame wins; falls back to kFifo where there is none
};

struct Frame {
  VkCommandBuffer commands = VK_NULL_HANDLE;  // recording
  VkExtent2D extent{};                        // pixels
  std::uint32_t slot = 0;                     // 0 to Swapchain::kFramesInFlight - 1: for per-frame objects
  std::uint32_t image = 0;                    // of the swapchain
};

class Swapchain {
 public:
  static constexpr std::uint32_t kFramesInFlight = 2;

  // `wanted` in pixels; the surface's own size wins where it has one. kUnsupported when the device can't
  // present to the surface (it must have been made with DeviceOptions::presentation).
  static Result<std::unique_ptr<Swapchain>> create(Device& device, VkSurfaceKHR surface, VkExtent2D wanted,
                                                   PresentMode mode = PresentMode::kFifo);
  ~Swapchain();
  Swapchain(const Swapchain&) = delete;
  Swapchain& operator=(const Swapchain&) = delete;

  // Constant over the swapchain's life, resizes included; subpass 0, one sample.
  VkRenderPass renderPass() const { return render_pass_; }
  VkFormat format() const { return format_.format; }
  // For ImGui_ImplVulkan_InitInfo: both at least 2; a recreated swapchain may have more images, which is
  // harmless.
  std::uint32_t minImageCount() const { return min_image_count_; }
  std::uint32_t imageCount() const { return static_cast<std::uint32_t>(images_.size()); }
  VkExtent2D extent() const { return extent_; }

  // Take effect with the next frame.
  void resize(VkExtent2D wanted);
  void setPresentMode(PresentMode mode);

  // Waits until frame slot and image are free. Empty when there is nothing to draw on; then ask again later.
  Result<std::optional<Frame>> beginFrame();
  void beginPass(const Frame& frame, std::array<float, 4> clear);
  // With `capture` (at least 4 x width x height bytes) the drawn pixels are also copied there, rows from the
  // top, in format(); they are there when the returned timeline value has passed. kUnsupported where the
  // surface forbids it.
  Result<std::uint64_t> endFrame(const Frame& frame, const Buffer* capture = nullptr);

 private:
  struct Image {
    VkImage handle = VK_NULL_HANDLE;
    VkImageView view = VK_NULL_HANDLE;
    VkFramebuffer framebuffer = VK_NULL_HANDLE;
    VkSemaphore drawn = VK_NULL_HANDLE;  // the presentation waits for it
  };
  struct Slot {
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VkSemaphore acquired = VK_NULL_HANDLE;
    std::uint64_t submitted = 0;  // timeline value of its last frame
  };

  Swapchain(Device& device, VkSurfaceKHR surface) : device_(device), surface_(surface) {}
  Result<void> chooseFormat();
  Result<void> makeRenderPass();
  Result<void> makeSlots();
  Result<void> recreate();  // leaves no swapchain when the surface has no area
  Result<void> makeImages();
  void retire();
  void recordCapture(const Frame& frame, const Buffer& into) const;

  Device& device_;
  VkSurfaceKHR surface_ = VK_NULL_HANDLE;
  VkSurfaceFormatKHR format_{};
  VkRenderPass render_pass_ = VK_NULL_HANDLE;
  VkSwapchainKHR handle_ = VK_NULL_HANDLE;
  VkExtent2D wanted_{}, extent_{};
  PresentMode mode_ = PresentMode::kFifo;
  std::uint32_t min_image_count_ = 2;
  bool stale_ = true, in_pass_ = false, can_capture_ = false;
  std::vector<Image> images_;
  std::array<Slot, kFramesInFlight> slots_;
  std::uint32_t next_slot_ = 0;
  std::vector<std::function<void()>> retired_;  // destroyed after the submission that follows
};

}  // namespace vitrine::gpu
