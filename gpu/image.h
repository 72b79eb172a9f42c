// 2-D images that compute writes and drawing samples; always in VK_IMAGE_LAYOUT_GENERAL after creation.
#pragma once

#include <cstdint>
#include <string>

#include "gpu/device.h"

struct VmaAllocation_T;
using VmaAllocation = VmaAllocation_T*;

namespace vitrine::gpu {

class Image {
 public:
  // Usage: storage, sampled, transfer source and destination, and colour attachment where the format allows
  // it.
  static Result<Image> create(Device& device, std::uint32_t width, std::uint32_t height, VkFormat format,
                              std::string name);
  Image() = default;
  Image(Image&& other) noexcept;
  Image& operator=(Image&& other) noexcept;
  ~Image();

  explicit operator bool() const { return handle_ != VK_NULL_HANDLE; }
  VkImage handle() const { return handle_; }
  VkImageView view() const { return view_; }
  VkFormat format() const { return format_; }
  std::uint32_t width() const { return width_; }
  std::uint32_t height() const { return height_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void release();
  Device* device_ = nullptr;
  VkImage handle_ = VK_NULL_HANDLE;
  VkImageView view_ = VK_NULL_HANDLE;
  VmaAllocation allocation_ = nullptr;
  VkFormat format_ = VK_FORMAT_UNDEFINED;
  std::uint32_t width_ = 0, height_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace vitrine::gpu
