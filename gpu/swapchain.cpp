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
  const auto info = structure<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO);
  VkSemaphore semaphore = VK_NULL_HANDLE;
  TRY(check(vkCreateSemaphore(device, &info, nullptr, &semaphore), "creating a semaphore of the swapchain"));
  return semaphore;
}

void imageBarrier(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to,
                  VkPipelineStageFlags2 after, VkAccessFlags2 written, VkPipelineStageFlags2 before,
                  VkAccessFlags2 read) {
  auto barrier = structure<VkImageMemoryBarrier2>(VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2);
  barrier.srcStageMask = after;
  barrier.srcAccessMask = written;
  barrier.dstStageMask = before;
  barrier.dstAccessMask = read;
  barrier.oldLayout = from;
  barrier.newLayout = to;
  barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
  barrier.image = image;
  barrier.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  auto dependency = structure<VkDependencyInfo>(VK_STRUCTURE_TYPE_DEPENDENCY_INFO);
  dependency.imageMemoryBarrierCount = 1;
  dependency.pImageMemoryBarriers = &barrier;
  vkCmdPipelineBarrier2(commands, &dependency);
}

void memoryBarrier(VkCommandBuffer commands, VkPipelineStageFlags2 after, VkPipelineStageFlags2 before,
                   VkAccessFlags2 read) {
  auto barrier = structure<VkMemoryBarrier2>(VK_STRUCTURE_TYPE_MEMORY_BARRIER_2);
  barrier.srcStageMask = after;
  barrier.srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT;
  barrier.dstStageMask = before;
  barrier.dstAccessMask = read;
  auto dependency = structure<VkDependencyInfo>(VK_STRUCTURE_TYPE_DEPENDENCY_INFO);
  dependency.memoryBarrierCount = 1;
  dependency.pMemoryBarriers = &barrier;
  vkCmdPipelineBarrier2(commands, &dependency);
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
  TRY(swapchain->makeRenderPass());
  TRY(swapchain->makeSlots());
  TRY(swapchain->recreate());
  return swapchain;
}

Swapchain::~Swapchain() {
  // Presentation is not on the timeline: only an idle device surely no longer reads these.
  [[maybe_unused]] const auto idle = device_.waitIdle();
  retire();
  for (const auto& destroy : retired_) destroy();
  for (const Slot& slot : slots_) {
    vkDestroySemaphore(device_.handle(), slot.acquired, nullptr);
    vkDestroyCommandPool(device_.handle(), slot.pool, nullptr);
  }
  vkDestroyRenderPass(device_.handle(), render_pass_, nullptr);
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

Result<void> Swapchain::makeRenderPass() {
  VkAttachmentDescription colour{};
  colour.format = format_.format;
  colour.samples = VK_SAMPLE_COUNT_1_BIT;
  colour.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR;
  colour.storeOp = VK_ATTACHMENT_STORE_OP_STORE;
  colour.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE;
  colour.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE;
  colour.finalLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
  const VkAttachmentReference reference{0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
  VkSubpassDescription subpass{};
  subpass.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS;
  subpass.colorAttachmentCount = 1;
  subpass.pColorAttachments = &reference;
  VkSubpassDependency dependencies[2]{};
  // The layout changes after the image was acquired, whose semaphore is waited for in this stage.
  dependencies[0].srcSubpass = VK_SUBPASS_EXTERNAL;
  dependencies[0].srcStageMask = dependencies[0].dstStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
  dependencies[0].dstAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;
  // A capture copies what was drawn.
  dependencies[1].dstSubpass = VK_SUBPASS_EXTERNAL;
  dependencies[1].srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
  dependencies[1].srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;
  dependencies[1].dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT;
  dependencies[1].dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT;
  auto info = structure<VkRenderPassCreateInfo>(VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO);
  info.attachmentCount = 1;
  info.pAttachments = &colour;
  info.subpassCount = 1;
  info.pSubpasses = &subpass;
  info.dependencyCount = 2;
  info.pDependencies = dependencies;
  return check(vkCreateRenderPass(device_.handle(), &info, nullptr, &render_pass_),
               "creating the render pass");
}

Result<void> Swapchain::makeSlots() {
  for (Slot& slot : slots_) {
    auto pool = structure<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
    pool.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
    pool.queueFamilyIndex = device_.queueFamily();
    TRY(check(vkCreateCommandPool(device_.handle(), &pool, nullptr, &slot.pool), "creating a command pool"));
    auto allocate = structure<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
    allocate.commandPool = slot.pool;
    allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    allocate.commandBufferCount = 1;
    TRY(check(vkAllocateCommandBuffers(device_.handle(), &allocate, &slot.commands),
              "creating a command buffer"));
    TRY_ASSIGN(slot.acquired, makeSemaphore(device_.handle()));
  }
  return {};
}

// Hands images and their semaphores to retired_. A presentation still waiting for one of the semaphores
// stands in the queue before the next submission, so everything may go when that submission has completed.
void Swapchain::retire() {
  retired_.push_back([device = device_.handle(), images = std::exchange(images_, {}),
                      swapchain = std::exchange(handle_, VK_NULL_HANDLE)] {
    for (const Image& image : images) {
      vkDestroyFramebuffer(device, image.framebuffer, nullptr);
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

  can_capture_ = surface.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
  min_image_count_ = std::max(2u, surface.minImageCount);
  std::uint32_t count = min_image_count_ + 1;
  if (surface.maxImageCount > 0) count = std::min(count, surface.maxImageCount);
  auto info = structure<VkSwapchainCreateInfoKHR>(VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR);
  info.surface = surface_;
  info.minImageCount = count;
  info.imageFormat = format_.format;
  info.imageColorSpace = format_.colorSpace;
  info.imageExtent = extent_;
  info.imageArrayLayers = 1;
  info.imageUsage =
      VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | (can_capture_ ? VK_IMAGE_USAGE_TRANSFER_SRC_BIT : 0);
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
    auto view = structure<VkImageViewCreateInfo>(VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO);
    view.image = handle;
    view.viewType = VK_IMAGE_VIEW_TYPE_2D;
    view.format = format_.format;
    view.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    TRY(check(vkCreateImageView(device_.handle(), &view, nullptr, &image.view), "viewing the swapchain"));
    auto framebuffer = structure<VkFramebufferCreateInfo>(VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO);
    framebuffer.renderPass = render_pass_;
    framebuffer.attachmentCount = 1;
    framebuffer.pAttachments = &image.view;
    framebuffer.width = extent_.width;
    framebuffer.height = extent_.height;
    framebuffer.layers = 1;
    TRY(check(vkCreateFramebuffer(device_.handle(), &framebuffer, nullptr, &image.framebuffer),
              "creating a framebuffer"));
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

Result<std::optional<Frame>> Swapchain::beginFrame() {
  VITRINE_ASSERT(!in_pass_);
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
  TRY(check(vkResetCommandPool(device_.handle(), slot.pool, 0), "starting a frame"));
  auto begin = structure<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  TRY(check(vkBeginCommandBuffer(slot.commands, &begin), "starting a frame"));
  memoryBarrier(slot.commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT);
  return Frame{slot.commands, extent_, next_slot_, index};
}

void Swapchain::beginPass(const Frame& frame, std::array<float, 4> clear) {
  VITRINE_ASSERT(!in_pass_);
  VkClearValue value{};
  std::copy(clear.begin(), clear.end(), value.color.float32);
  auto pass = structure<VkRenderPassBeginInfo>(VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO);
  pass.renderPass = render_pass_;
  pass.framebuffer = images_[frame.image].framebuffer;
  pass.renderArea.extent = frame.extent;
  pass.clearValueCount = 1;
  pass.pClearValues = &value;
  vkCmdBeginRenderPass(frame.commands, &pass, VK_SUBPASS_CONTENTS_INLINE);
  in_pass_ = true;
}

void Swapchain::recordCapture(const Frame& frame, const Buffer& into) const {
  const VkImage image = images_[frame.image].handle;
  imageBarrier(frame.commands, image, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
               VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT | VK_PIPELINE_STAGE_2_TRANSFER_BIT,
               VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT, VK_PIPELINE_STAGE_2_TRANSFER_BIT,
               VK_ACCESS_2_TRANSFER_READ_BIT);
  VkBufferImageCopy region{};
  region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
  region.imageExtent = {frame.extent.width, frame.extent.height, 1};
  vkCmdCopyImageToBuffer(frame.commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, into.handle(), 1,
                         &region);
  imageBarrier(frame.commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
               VK_PIPELINE_STAGE_2_TRANSFER_BIT, 0, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, 0);
  memoryBarrier(frame.commands, VK_PIPELINE_STAGE_2_TRANSFER_BIT, VK_PIPELINE_STAGE_2_HOST_BIT,
                VK_ACCESS_2_HOST_READ_BIT);
}

Result<std::uint64_t> Swapchain::endFrame(const Frame& frame, const Buffer* capture) {
  VITRINE_ASSERT(in_pass_);
  Slot& slot = slots_[frame.slot];
  const VkSemaphore drawn = images_[frame.image].drawn;
  vkCmdEndRenderPass(frame.commands);
  in_pass_ = false;
  const bool capturing = capture && can_capture_;
  if (capturing) {
    VITRINE_ASSERT(capture->size() >= std::uint64_t{4} * frame.extent.width * frame.extent.height);
    recordCapture(frame, *capture);
  }
  TRY(check(vkEndCommandBuffer(frame.commands), "recording a frame"));
  TRY_ASSIGN(slot.submitted, device_.submit(frame.commands, slot.acquired,
                                            VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT, drawn));
  for (auto& destroy : std::exchange(retired_, {})) device_.destroyLater(std::move(destroy));
  next_slot_ = (next_slot_ + 1) % kFramesInFlight;

  auto info = structure<VkPresentInfoKHR>(VK_STRUCTURE_TYPE_PRESENT_INFO_KHR);
  info.waitSemaphoreCount = 1;
  info.pWaitSemaphores = &drawn;
  info.swapchainCount = 1;
  info.pSwapchains = &handle_;
  info.pImageIndices = &frame.image;
  VkResult result = VK_SUCCESS;
  {
    const auto lock = device_.lockQueue();
    result = vkQueuePresentKHR(device_.queue(), &info);
  }
  if (result == VK_SUBOPTIMAL_KHR || result == VK_ERROR_OUT_OF_DATE_KHR)
    stale_ = true;
  else
    TRY(check(result, "showing a frame"));
  if (capture && !can_capture_)
    return fail(ErrorCode::kUnsupported, "{} can't read back this window", device_.info().name);
  return slot.submitted;
}

}  // namespace vitrine::gpu
