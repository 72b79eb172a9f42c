#include "gpu/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace vitrine::gpu {
namespace {

constexpr std::uint64_t kLeastStaging = 64 << 10, kMostStaging = 16 << 20;

Result<void> checkFits(const Slice& slice, std::uint64_t bytes, const char* what) {
  if (!slice) return fail(ErrorCode::kInvalidArgument, "{}: the slice has no buffer", what);
  const Buffer& buffer = *slice.buffer;
  if (slice.offset <= buffer.size() && slice.bytes <= buffer.size() - slice.offset && bytes == slice.bytes)
    return {};
  return fail(ErrorCode::kInvalidArgument,
              "{} of {} bytes, to or from bytes {} to {} of buffer {} ({} bytes)", what, bytes, slice.offset,
              slice.offset + slice.bytes, buffer.name(), buffer.size());
}

}  // namespace

Result<void> Transfer::grow(Buffer& staging, MemoryKind kind, std::uint64_t bytes) {
  const std::uint64_t wanted = std::clamp(bytes, kLeastStaging, kMostStaging);
  if (staging && staging.size() >= wanted) return {};
  staging = Buffer();  // first, so that both never exist at once
  TRY_ASSIGN(staging, Buffer::create(device_, wanted, kind, "staging"));
  return {};
}

Result<void> Transfer::copyNow(Slice from, Slice to) {
  if (!commands_.handle()) {
    TRY_ASSIGN(commands_, Commands::create(device_, "transfer"));
  }
  TRY(commands_.begin());
  commands_.copy(from, to);
  TRY(commands_.end());
  return commands_.submitAndWait();
}

Result<void> Transfer::upload(std::span<const std::byte> data, Slice to) {
  TRY(checkFits(to, data.size(), "upload"));
  if (data.empty()) return {};
  if (const std::span<std::byte> mapped = to.buffer->mapped(); !mapped.empty()) {
    TRY(device_.wait(device_.lastSubmitted()));  // which may still read the old content
    std::memcpy(mapped.data() + to.offset, data.data(), data.size());
    return {};
  }
  std::lock_guard lock(mutex_);
  TRY(grow(up_, MemoryKind::kUpload, data.size()));
  for (std::uint64_t done = 0; done < data.size(); done += up_.size()) {
    const std::uint64_t piece = std::min(up_.size(), data.size() - done);
    std::memcpy(up_.mapped().data(), data.data() + done, piece);
    TRY(copyNow({up_, 0, piece}, {*to.buffer, to.offset + done, piece}));
  }
  return {};
}

Result<void> Transfer::download(Slice from, std::span<std::byte> data) {
  TRY(checkFits(from, data.size(), "download"));
  if (data.empty()) return {};
  if (const std::span<std::byte> mapped = from.buffer->mapped(); !mapped.empty()) {
    TRY(device_.wait(device_.lastSubmitted()));
    std::memcpy(data.data(), mapped.data() + from.offset, data.size());
    return {};
  }
  std::lock_guard lock(mutex_);
  TRY(grow(down_, MemoryKind::kReadback, data.size()));
  for (std::uint64_t done = 0; done < data.size(); done += down_.size()) {
    const std::uint64_t piece = std::min(down_.size(), data.size() - done);
    TRY(copyNow({*from.buffer, from.offset + done, piece}, {down_, 0, piece}));
    std::memcpy(data.data() + done, down_.mapped().data(), piece);
  }
  return {};
}

Result<void> upload(Device& device, std::span<const std::byte> data, Slice to) {
  return device.transfer().upload(data, to);
}

Result<void> download(Device& device, Slice from, std::span<std::byte> data) {
  return device.transfer().download(from, data);
}

}  // namespace vitrine::gpu
