// Buffers with a device address, and typed texel views of them for devices where texel fetches are the fast
// loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>

#include "gpu/device.h"

struct VmaAllocation_T;
using VmaAllocation = VmaAllocation_T*;

namespace vitrine::gpu {

enum class MemoryKind {
  kDevice,    // device local; mapped as well where the device is a CPU or has a large BAR (see mapped())
  kUpload,    // host visible, written by the host in order, read by the device
  kReadback,  // host visible and cached: the device writes, the host reads; also fine for small shared state
};

class Buffer {
 public:
  // Usable as storage, texel, transfer source and destination, with a device address. Size 0 is an error.
  // kOutOfMemory names the buffer, what it asked for and what is available.
  static Result<Buffer> create(Device& device, std::uint64_t bytes, MemoryKind kind, std::string name);
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  explicit operator bool() const { return handle_ != VK_NULL_HANDLE; }
  std::uint64_t size() const { return size_; }
  std::uint64_t address() const { return address_; }  // 16-byte aligned at least
  VkBuffer handle() const { return handle_; }
  const std::string& name() const { return name_; }

  // The host's view, empty where the memory is not host visible. Coherent, or made so by read()/write().
  std::span<std::byte> mapped() const { return mapped_; }
  template <typename T>
  std::span<T> mappedAs() const {
    return {reinterpret_cast<T*>(mapped_.data()), mapped_.size() / sizeof(T)};
  }

  // A view over [offset, offset + bytes), made once and kept with the buffer. `offset` must be a multiple of
  // DeviceInfo::texel_alignment and the number of texels at most max_texel_elements.
  Result<VkBufferView> texelView(VkFormat format, std::uint64_t offset, std::uint64_t bytes) const;

 private:
  void release();
  Device* device_ = nullptr;
  VkBuffer handle_ = VK_NULL_HANDLE;
  VmaAllocation allocation_ = nullptr;
  std::uint64_t size_ = 0, address_ = 0;
  std::span<std::byte> mapped_;
  std::string name_;
  mutable std::map<std::tuple<VkFormat, std::uint64_t, std::uint64_t>, VkBufferView> views_;
};

// A part of a buffer: what a dispatch declares that it reads or writes.
struct Slice {
  const Buffer* buffer = nullptr;
  std::uint64_t offset = 0, bytes = 0;

  Slice() = default;
  Slice(const Buffer& whole) : buffer(&whole), bytes(whole.size()) {}  // NOLINT: a buffer is its whole slice
  Slice(const Buffer& of, std::uint64_t at, std::uint64_t size) : buffer(&of), offset(at), bytes(size) {}
  std::uint64_t address() const { return buffer ? buffer->address() + offset : 0; }
  explicit operator bool() const { return buffer != nullptr; }
};

}  // namespace vitrine::gpu
