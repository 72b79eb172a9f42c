// The staging memory and command buffer that upload() and download() of one device share. Private to gpu/.
#pragma once

#include <cstddef>
#include <mutex>
#include <span>

#include "gpu/commands.h"

namespace vitrine::gpu {

class Transfer {
 public:
  explicit Transfer(Device& device) : device_(device) {}
  Result<void> upload(std::span<const std::byte> data, Slice to);
  Result<void> download(Slice from, std::span<std::byte> data);

 private:
  Result<void> grow(Buffer& staging, MemoryKind kind, std::uint64_t bytes);
  Result<void> copyNow(Slice from, Slice to);

  Device& device_;
  std::mutex mutex_;
  Commands commands_;
  Buffer up_, down_;
};

}  // namespace vitrine::gpu
