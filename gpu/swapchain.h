// Images of a window: a swapchain on a surface that ui made. Drawing is the caller's, with dynamic rendering:
//
//   TRY_ASSIGN(std::optional<Frame> frame, swapchain->acquire());
//   if (!frame) return;   // nothing to draw on just now (minimized, or no image free yet): ask again later
//   ... record: frame->image from VK_IMAGE_LAYOUT_UNDEFINED to VK_IMAGE_LAYOUT_PRESENT_SRC_KHR ...
//   TRY(commands.submit(frame->acquired, VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT, frame->drawn));
//   TRY(swapchain->present(*frame));
//
// Every acquired frame must be submitted and presented. One thread (the UI's) uses a swapchain; the queue's
// lock is taken inside. The surface stays the caller's and must outlive the swapchain.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gpu/device.h"

namespace vitrine::gpu {

enum class PresentMode {
  kFifo,     // in step with the display, never torn; every device has it
  kMailbox,  // the newest frame wins; falls back to kFifo where there is none
};

struct Frame {
  VkImage image = VK_NULL_HANDLE;
  VkImageView view = VK_NULL_HANDLE;
  VkExtent2D extent{};                    // pixels
  std::uint32_t index = 0;                // of the image in the swapchain
  VkSemaphore acquired = VK_NULL_HANDLE;  // the submission waits for it before it writes the image
  VkSemaphore drawn = VK_NULL_HANDLE;     // the submission signals it, the presentation waits for it
};

class Swapchain {
 public:
  // Frames whose submissions may be under way at once; acquire() waits for the one before those.
  static constexpr std::uint32_t kFramesInFlight = 2;

  // `wanted` in pixels; the surface's own size wins where it has one. kUnsupported when the device can't
  // present to the surface (it must have been made with DeviceOptions::presentation).
  static Result<std::unique_ptr<Swapchain>> create(Device& device, VkSurfaceKHR surface, VkExtent2D wanted,
                                                   PresentMode mode = PresentMode::kFifo);
  ~Swapchain();
  Swapchain(const Swapchain&) = delete;
  Swapchain& operator=(const Swapchain&) = delete;

  // Constant over the swapchain's life: 8 bits a channel, UNORM where the surface has it.
  VkFormat format() const { return format_.format; }
  VkExtent2D extent() const { return extent_; }
  bool readable() const { return readable_; }  // images may be copied from (VK_IMAGE_USAGE_TRANSFER_SRC_BIT)

  // Take effect with the next frame.
  void resize(VkExtent2D wanted);
  void setPresentMode(PresentMode mode);

  // The next image; empty when there is none (no area, or none free within a tenth of a second).
  Result<std::optional<Frame>> acquire();
  // After the frame's commands were submitted.
  Result<void> present(const Frame& frame);

 private:
  struct Image {
    VkImage handle = VK_NULL_HANDLE;
    VkImageView view = VK_NULL_HANDLE;
    VkSemaphore drawn = VK_NULL_HANDLE;
  };
  struct Slot {
    VkSemaphore acquired = VK_NULL_HANDLE;
    std::uint64_t submitted = 0;  // timeline value once its last frame was submitted
  };

  Swapchain(Device& device, VkSurfaceKHR surface) : device_(device), surface_(surface) {}
  Result<void> chooseFormat();
  Result<void> recreate();  // leaves no swapchain when the surface has no area
  Result<void> makeImages();
  void retire();

  Device& device_;
  VkSurfaceKHR surface_ = VK_NULL_HANDLE;
  VkSurfaceFormatKHR format_{};
  VkSwapchainKHR handle_ = VK_NULL_HANDLE;
  VkExtent2D wanted_{}, extent_{};
  PresentMode mode_ = PresentMode::kFifo;
  bool stale_ = true, readable_ = false;
  std::vector<Image> images_;
  std::array<Slot, kFramesInFlight> slots_;
  std::uint32_t next_slot_ = 0;
  std::vector<std::function<void()>> retired_;  // destroyed after the submission that follows
};

}  // namespace vitrine::gpu
