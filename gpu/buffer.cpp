#include "gpu/buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gpu/format.h"
#include "gpu/memory.h"

namespace vitrine::gpu {
namespace {

// Shaders that load 16 bytes at a time may touch the last, partly used unit.
constexpr std::uint64_t kGranule = 16;
// Upload buffers up to this size go where the device reads them fastest (a BAR, often of 256 MiB in all).
constexpr std::uint64_t kSmallUpload = 64 << 10;

constexpr VkBufferUsageFlags kUsage =
    VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |
    VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
    VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;

VmaAllocationCreateInfo placement(const Device& device, MemoryKind kind, std::uint64_t bytes) {
  VmaAllocationCreateInfo create{};
  switch (kind) {
    case MemoryKind::kDevice:
      create.usage = VMA_MEMORY_USAGE_AUTO_PREFER_DEVICE;
      if (device.mapsDeviceMemory()) {
        create.flags = VMA_ALLOCATION_CREATE_HOST_ACCESS_RANDOM_BIT | VMA_ALLOCATION_CREATE_MAPPED_BIT |
                       VMA_ALLOCATION_CREATE_HOST_ACCESS_ALLOW_TRANSFER_INSTEAD_BIT;
      }
      return create;
    case MemoryKind::kUpload:
      create.usage = bytes <= kSmallUpload ? VMA_MEMORY_USAGE_AUTO : VMA_MEMORY_USAGE_AUTO_PREFER_HOST;
      create.flags =
          VMA_ALLOCATION_CREATE_HOST_ACCESS_SEQUENTIAL_WRITE_BIT | VMA_ALLOCATION_CREATE_MAPPED_BIT;
      break;
    case MemoryKind::kReadback:
      create.usage = VMA_MEMORY_USAGE_AUTO_PREFER_HOST;
      create.flags = VMA_ALLOCATION_CREATE_HOST_ACCESS_RANDOM_BIT | VMA_ALLOCATION_CREATE_MAPPED_BIT;
      break;
  }
  create.requiredFlags = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  return create;
}

}  // namespace

Result<Buffer> Buffer::create(Device& device, std::uint64_t bytes, MemoryKind kind, std::string name) {
  if (bytes == 0)
    return fail(ErrorCode::kInvalidArgument, "buffer {}: a size of 0 bytes was asked for", name);
  const std::uint64_t limit = device.info().max_allocation_bytes;
  if (bytes > limit)
    return fail(ErrorCode::kOutOfMemory,
                "buffer {}: {} bytes are more than one allocation on {} may have ({} bytes)", name, bytes,
                device.info().name, limit);
  VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = std::min((bytes + kGranule - 1) / kGranule * kGranule, limit);
  info.usage = kUsage;
  const VmaAllocationCreateInfo where = placement(device, kind, bytes);
  Buffer buffer;
  VmaAllocationInfo allocated{};
  TRY(device.allocate(bytes, fmt::format("buffer {}", name), [&] {
    return vmaCreateBuffer(device.allocator(), &info, &where, &buffer.handle_, &buffer.allocation_,
                           &allocated);
  }));
  buffer.device_ = &device;
  buffer.size_ = bytes;
  buffer.name_ = std::move(name);
  VkMemoryPropertyFlags properties = 0;
  vmaGetAllocationMemoryProperties(device.allocator(), buffer.allocation_, &properties);
  if (allocated.pMappedData && (properties & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))
    buffer.mapped_ = {static_cast<std::byte*>(allocated.pMappedData), bytes};
  VkBufferDeviceAddressInfo address{.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO};
  address.buffer = buffer.handle_;
  buffer.address_ = vkGetBufferDeviceAddress(device.handle(), &address);
  device.setName(VK_OBJECT_TYPE_BUFFER, reinterpret_cast<std::uint64_t>(buffer.handle_), buffer.name_);
  return buffer;
}

Buffer::Buffer(Buffer&& other) noexcept {
  *this = std::move(other);
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = std::exchange(other.device_, nullptr);
  handle_ = std::exchange(other.handle_, VK_NULL_HANDLE);
  allocation_ = std::exchange(other.allocation_, nullptr);
  size_ = std::exchange(other.size_, 0);
  address_ = std::exchange(other.address_, 0);
  mapped_ = std::exchange(other.mapped_, {});
  name_ = std::exchange(other.name_, {});
  views_ = std::exchange(other.views_, {});
  return *this;
}

Buffer::~Buffer() {
  release();
}

void Buffer::release() {
  if (handle_ == VK_NULL_HANDLE) return;
  device_->destroyLater([device = device_, handle = handle_, allocation = allocation_, bytes = size_,
                         views = std::move(views_)] {
    for (const auto& [key, view] : views) vkDestroyBufferView(device->handle(), view, nullptr);
    vmaDestroyBuffer(device->allocator(), handle, allocation);
    device->released(bytes);
  });
  handle_ = VK_NULL_HANDLE;
  mapped_ = {};
  views_.clear();
}

Result<VkBufferView> Buffer::texelView(VkFormat format, std::uint64_t offset, std::uint64_t bytes) const {
  VITRINE_ASSERT(handle_ != VK_NULL_HANDLE);
  const auto key = std::tuple(format, offset, bytes);
  if (const auto found = views_.find(key); found != views_.end()) return found->second;

  const DeviceInfo& info = device_->info();
  VkFormatProperties properties{};
  vkGetPhysicalDeviceFormatProperties(device_->physical(), format, &properties);
  if (!(properties.bufferFeatures & VK_FORMAT_FEATURE_UNIFORM_TEXEL_BUFFER_BIT))
    return fail(ErrorCode::kUnsupported, "texel view of {}: {} has no texel buffers of VkFormat {}", name_,
                info.name, static_cast<int>(format));
  const std::uint64_t texel = texelBytes(format);
  if (texel == 0)
    return fail(ErrorCode::kUnsupported, "texel view of {}: VkFormat {} is not one that Vitrine uses", name_,
                static_cast<int>(format));
  if (bytes == 0 || offset > size_ || bytes > size_ - offset || bytes % texel != 0 ||
      offset % info.texel_alignment != 0)
    return fail(
        ErrorCode::kInvalidArgument,
        "texel view of {}: bytes {} to {} of {} with texels of {} bytes; the offset must be a multiple "
        "of {} and the length a multiple of the texel",
        name_, offset, offset + bytes, size_, texel, info.texel_alignment);
  if (bytes / texel > info.max_texel_elements)
    return fail(ErrorCode::kUnsupported, "texel view of {}: {} texels, {} allows {}", name_, bytes / texel,
                info.name, info.max_texel_elements);
  VkBufferViewCreateInfo create{.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO};
  create.buffer = handle_;
  create.format = format;
  create.offset = offset;
  create.range = bytes;
  VkBufferView view = VK_NULL_HANDLE;
  TRY(check(vkCreateBufferView(device_->handle(), &create, nullptr, &view),
            fmt::format("texel view of {}", name_)));
  views_.emplace(key, view);
  return view;
}

}  // namespace vitrine::gpu
