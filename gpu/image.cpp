#include "gpu/image.h"

#include <fmt/format.h>

#include <utility>

#include "gpu/commands.h"
#include "gpu/format.h"
#include "gpu/memory.h"

namespace vitrine::gpu {
namespace {

Result<VkImageUsageFlags> usageOf(const Device& device, VkFormat format, const std::string& name) {
  VkFormatProperties properties{};
  vkGetPhysicalDeviceFormatProperties(device.physical(), format, &properties);
  const VkFormatFeatureFlags features = properties.optimalTilingFeatures;
  if (!(features & VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT) || !(features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT))
    return fail(ErrorCode::kUnsupported, "image {}: {} can't both store to and sample VkFormat {}", name,
                device.info().name, static_cast<int>(format));
  VkImageUsageFlags usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_SAMPLED_BIT |
                            VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
  if (features & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT) usage |= VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
  return usage;
}

// Brings a fresh image into VK_IMAGE_LAYOUT_GENERAL; later submissions come after it.
Result<void> toGeneral(Device& device, VkImage image) {
  TRY_ASSIGN(Commands commands, Commands::create(device, "image layout"));
  TRY(commands.begin());
  VkImageMemoryBarrier2 barrier{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2};
  barrier.dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
  barrier.dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT;
  barrier.newLayout = VK_IMAGE_LAYOUT_GENERAL;
  barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
  barrier.image = image;
  barrier.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  VkDependencyInfo dependency{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO};
  dependency.imageMemoryBarrierCount = 1;
  dependency.pImageMemoryBarriers = &barrier;
  vkCmdPipelineBarrier2(commands.handle(), &dependency);
  TRY(commands.end());
  TRY(commands.submit());
  return {};
}

}  // namespace

Result<Image> Image::create(Device& device, std::uint32_t width, std::uint32_t height, VkFormat format,
                            std::string name) {
  const std::uint32_t largest = device.limits().maxImageDimension2D;
  if (width == 0 || height == 0 || width > largest || height > largest)
    return fail(ErrorCode::kInvalidArgument, "image {}: {} x {} pixels, {} allows 1 to {} a side", name,
                width, height, device.info().name, largest);
  if (texelBytes(format) == 0)
    return fail(ErrorCode::kUnsupported, "image {}: VkFormat {} is not one that Vitrine uses", name,
                static_cast<int>(format));
  VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
  TRY_ASSIGN(info.usage, usageOf(device, format, name));
  info.imageType = VK_IMAGE_TYPE_2D;
  info.format = format;
  info.extent = {width, height, 1};
  info.mipLevels = info.arrayLayers = 1;
  info.samples = VK_SAMPLE_COUNT_1_BIT;
  info.tiling = VK_IMAGE_TILING_OPTIMAL;
  VmaAllocationCreateInfo where{};
  where.usage = VMA_MEMORY_USAGE_AUTO_PREFER_DEVICE;
  Image image;
  const std::uint64_t bytes = std::uint64_t{width} * height * texelBytes(format);
  TRY(device.allocate(bytes, fmt::format("image {}", name), [&] {
    return vmaCreateImage(device.allocator(), &info, &where, &image.handle_, &image.allocation_, nullptr);
  }));
  image.device_ = &device;
  image.format_ = format;
  image.width_ = width;
  image.height_ = height;
  image.bytes_ = bytes;
  VkImageViewCreateInfo view{.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
  view.image = image.handle_;
  view.viewType = VK_IMAGE_VIEW_TYPE_2D;
  view.format = format;
  view.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  TRY(check(vkCreateImageView(device.handle(), &view, nullptr, &image.view_),
            fmt::format("view of image {}", name)));
  device.setName(VK_OBJECT_TYPE_IMAGE, reinterpret_cast<std::uint64_t>(image.handle_), name);
  TRY(toGeneral(device, image.handle_));
  return image;
}

Image::Image(Image&& other) noexcept {
  *this = std::move(other);
}

Image& Image::operator=(Image&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = std::exchange(other.device_, nullptr);
  handle_ = std::exchange(other.handle_, VK_NULL_HANDLE);
  view_ = std::exchange(other.view_, VK_NULL_HANDLE);
  allocation_ = std::exchange(other.allocation_, nullptr);
  format_ = std::exchange(other.format_, VK_FORMAT_UNDEFINED);
  width_ = std::exchange(other.width_, 0);
  height_ = std::exchange(other.height_, 0);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

Image::~Image() {
  release();
}

void Image::release() {
  if (handle_ == VK_NULL_HANDLE) return;
  device_->destroyLater(
      [device = device_, handle = handle_, view = view_, allocation = allocation_, bytes = bytes_] {
        vkDestroyImageView(device->handle(), view, nullptr);
        vmaDestroyImage(device->allocator(), handle, allocation);
        device->released(bytes);
      });
  handle_ = VK_NULL_HANDLE;
}

}  // namespace vitrine::gpu
