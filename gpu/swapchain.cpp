#include "gpu/swapchain.h"

#include <algorithm>
#include <utility>

namespace vitrine::gpu {
namespace {

constexpr std::uint64_t kAcquirePatienceNs = 100'000'000;  // a hidden window may never free an image

VkPresentModeKHR presentModeOf(VkPhysicalDevice physical, VkSurfaceKHR surface, PresentMode wanted) {
  if (wanted == PresentMode::kFifo) return VK_PRESENT_MODE_FIFO_KHR;
  std::uint32_t count = 0;
  vkGetPhysicalDeviceSurfacePresentModesKHR(physical, surface, &count, nullptr);
  std::vector<VkPresentModeKHR> modes(count);
  vkGetPhysicalDeviceSurfacePresentModesKHR(physical, surface, &count, modes.data());
  const bool mailbox = std::find(modes.begin(), modes.end(), VK_PRESENT_MODE_MAILBOX_KHR) != modes.end();
  return mailbox ? VK_PRESENT_MODE_MAILBOX_KHR : VK_PRESENT_MODE_FIFO_KHR;
}

VkExtent2D extentOf(const VkSurfaceCapabilitiesKHR& surface, VkExtent2D wanted) {
  if (surface.currentExtent.width != UINT32_MAX) return surface.currentExtent;
  const auto& least = surface.minImageExtent;
  const auto& most = surface.maxImageExtent;
  return {std::clamp(wanted.width, least.width, most.width),
          std::clamp(wanted.height, least.height, most.height)};
}

Result<VkSemaphore> makeSemaphore(VkDevice device) {
  const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
  VkSemaphore semaphore = VK_NULL_HANDLE;
  TRY(check(vkCreateSemaphore(device, &info, nullptr, &semaphore), "creating a semaphore of the swapchain"));
  return semaphore;
}

}  // namespace

Result<std::unique_ptr<Swapchain>> Swapchain::create(Device& device, VkSurfaceKHR surface, VkExtent2D wanted,
                                                     PresentMode mode) {
  if (!device.info().features.swapchain)
    return fail(ErrorCode::kUnsupported, "{} can't present: it was opened without VK_KHR_swapchain",
                device.info().name);
  VkBool32 supported = VK_FALSE;
  TRY(check(
      vkGetPhysicalDeviceSurfaceSupportKHR(device.physical(), device.queueFamily(), surface, &supported),
      "asking whether the window can be drawn on"));
  if (!supported) return fail(ErrorCode::kUnsupported, "{} can't present to this window", device.info().name);
  std::unique_ptr<Swapchain> swapchain(new Swapchain(device, surface));
  swapchain->wanted_ = wanted;
  swapchain->mode_ = mode;
  TRY(swapchain->chooseFormat());
  for (Slot& slot : swapchain->slots_) {
    TRY_ASSIGN(slot.acquired, makeSemaphore(device.handle()));
  }
  TRY(swapchain->recreate());
  return swapchain;
}

Swapchain::~Swapchain() {
  // Presentation is not on the timeline: only an idle device surely no longer reads these.
  [[maybe_unused]] const auto idle = device_.waitIdle();
  retire();
  for (const auto& destroy : retired_) destroy();
  for (const Slot& slot : slots_) vkDestroySemaphore(device_.handle(), slot.acquired, nullptr);
}

// Dear ImGui mixes colours as they are shown, so a UNORM format comes before an sRGB one.
Result<void> Swapchain::chooseFormat() {
  std::uint32_t count = 0;
  TRY(check(vkGetPhysicalDeviceSurfaceFormatsKHR(device_.physical(), surface_, &count, nullptr),
            "asking for the window's formats"));
  std::vector<VkSurfaceFormatKHR> formats(count);
  TRY(check(vkGetPhysicalDeviceSurfaceFormatsKHR(device_.physical(), surface_, &count, formats.data()),
            "asking for the window's formats"));
  for (const VkFormat preferred :
       {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB, VK_FORMAT_R8G8B8A8_SRGB})
    for (const VkSurfaceFormatKHR& it : formats)
      if (it.format == preferred && it.colorSpace == VK_COLOR_SPACE_SRGB_NONLINEAR_KHR) {
        format_ = it;
        return {};
      }
  return fail(ErrorCode::kUnsupported, "{} offers this window no format with 8 bits a channel",
              device_.info().name);
}

// Hands images and their semaphores to retired_. A presentation still waiting for one of the semaphores
// stands in the queue before the next submission, so everything may go when that submission has completed.
void Swapchain::retire() {
  retired_.push_back([device = device_.handle(), images = std::exchange(images_, {}),
                      swapchain = std::exchange(handle_, VK_NULL_HANDLE)] {
    for (const Image& image : images) {
      vkDestroyImageView(device, image.view, nullptr);
      vkDestroySemaphore(device, image.drawn, nullptr);
    }
    vkDestroySwapchainKHR(device, swapchain, nullptr);
  });
}

Result<void> Swapchain::recreate() {
  VkSurfaceCapabilitiesKHR surface{};
  TRY(check(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(device_.physical(), surface_, &surface),
            "asking for the window's size"));
  const VkSwapchainKHR old = handle_;
  retire();
  extent_ = extentOf(surface, wanted_);
  if (extent_.width == 0 || extent_.height == 0) return {};

  readable_ = surface.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
  std::uint32_t count = std::max(2u, surface.minImageCount) + 1;
  if (surface.maxImageCount > 0) count = std::min(count, surface.maxImageCount);
  VkSwapchainCreateInfoKHR info{.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR};
  info.surface = surface_;
  info.minImageCount = count;
  info.imageFormat = format_.format;
  info.imageColorSpace = format_.colorSpace;
  info.imageExtent = extent_;
  info.imageArrayLayers = 1;
  info.imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | (readable_ ? VK_IMAGE_USAGE_TRANSFER_SRC_BIT : 0);
  info.imageSharingMode = VK_SHARING_MODE_EXCLUSIVE;
  info.preTransform = surface.currentTransform;
  info.compositeAlpha = surface.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR
                            ? VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR
                            : VK_COMPOSITE_ALPHA_INHERIT_BIT_KHR;
  info.presentMode = presentModeOf(device_.physical(), surface_, mode_);
  info.clipped = VK_TRUE;
  info.oldSwapchain = old;
  TRY(check(vkCreateSwapchainKHR(device_.handle(), &info, nullptr, &handle_), "creating the swapchain"));
  TRY(makeImages());
  stale_ = false;
  return {};
}

Result<void> Swapchain::makeImages() {
  std::uint32_t count = 0;
  TRY(check(vkGetSwapchainImagesKHR(device_.handle(), handle_, &count, nullptr), "reading the swapchain"));
  std::vector<VkImage> handles(count);
  TRY(check(vkGetSwapchainImagesKHR(device_.handle(), handle_, &count, handles.data()),
            "reading the swapchain"));
  for (const VkImage handle : handles) {
    Image& image = images_.emplace_back();
    image.handle = handle;
    VkImageViewCreateInfo view{.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
    view.image = handle;
    view.viewType = VK_IMAGE_VIEW_TYPE_2D;
    view.format = format_.format;
    view.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    TRY(check(vkCreateImageView(device_.handle(), &view, nullptr, &image.view), "viewing the swapchain"));
    TRY_ASSIGN(image.drawn, makeSemaphore(device_.handle()));
  }
  return {};
}

void Swapchain::resize(VkExtent2D wanted) {
  stale_ |= wanted.width != wanted_.width || wanted.height != wanted_.height;
  wanted_ = wanted;
}

void Swapchain::setPresentMode(PresentMode mode) {
  stale_ |= std::exchange(mode_, mode) != mode;
}

Result<std::optional<Frame>> Swapchain::acquire() {
  Slot& slot = slots_[next_slot_];
  TRY(device_.wait(slot.submitted));
  std::uint32_t index = 0;
  for (int attempt = 0;; ++attempt) {
    if (stale_ || handle_ == VK_NULL_HANDLE) TRY(recreate());
    if (handle_ == VK_NULL_HANDLE) return std::nullopt;
    const VkResult result = vkAcquireNextImageKHR(device_.handle(), handle_, kAcquirePatienceNs,
                                                  slot.acquired, VK_NULL_HANDLE, &index);
    if (result == VK_TIMEOUT || result == VK_NOT_READY) return std::nullopt;
    if (result == VK_SUBOPTIMAL_KHR) stale_ = true;  // the image is ours all the same: from the next frame on
    if (result == VK_SUCCESS || result == VK_SUBOPTIMAL_KHR) break;
    if (result != VK_ERROR_OUT_OF_DATE_KHR) TRY(check(result, "getting an image of the window"));
    if (attempt == 2) return std::nullopt;  // the window is changing faster than we follow
    stale_ = true;
  }
  const Image& image = images_[index];
  return Frame{image.handle, image.view, extent_, index, slot.acquired, image.drawn};
}

Result<void> Swapchain::present(const Frame& frame) {
  // The frame's own submission is among those made so far, a retired swapchain's presentations stand before
  // it.
  slots_[next_slot_].submitted = device_.lastSubmitted();
  next_slot_ = (next_slot_ + 1) % kFramesInFlight;
  for (auto& destroy : std::exchange(retired_, {})) device_.destroyLater(std::move(destroy));

  VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR};
  info.waitSemaphoreCount = 1;
  info.pWaitSemaphores = &frame.drawn;
  info.swapchainCount = 1;
  info.pSwapchains = &handle_;
  info.pImageIndices = &frame.index;
  VkResult result = VK_SUCCESS;
  {
    const auto lock = device_.lockQueue();
    result = vkQueuePresentKHR(device_.queue(), &info);
  }
  if (result == VK_SUBOPTIMAL_KHR || result == VK_ERROR_OUT_OF_DATE_KHR) {
    stale_ = true;
    return {};
  }
  return check(result, "showing a frame");
}

}  // namespace vitrine::gpu
