#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gpu/commands.h"

namespace vitrine::gpu {

// Two halves of one staging buffer: while the device copies one, the host fills the other.
struct Uploader::Impl {
  struct Half {
    std::uint64_t begin = 0, used = 0;
    bool recording = false;
    Commands commands;
  };

  Device* device = nullptr;
  Buffer staging;
  Half halves[2];
  int current = 0;
  bool waited = false;  // for what was submitted before, once, before writing in place

  std::uint64_t capacity() const { return staging.size() / 2; }
  Half& half() { return halves[current]; }

  Result<void> flush() {
    Half& full = half();
    if (!std::exchange(full.recording, false)) return {};
    TRY(full.commands.end());
    TRY(full.commands.submit());
    current = 1 - current;
    half().used = 0;
    return half().commands.wait();  // its earlier copies, before the host overwrites what they read
  }
};

Uploader::Uploader() : impl_(std::make_unique<Impl>()) {}
Uploader::Uploader(Uploader&&) noexcept = default;
Uploader& Uploader::operator=(Uploader&&) noexcept = default;
Uploader::~Uploader() = default;

Result<Uploader> Uploader::create(Device& device, std::uint64_t staging_bytes) {
  constexpr std::uint64_t kPage = 4096;
  Uploader uploader;
  Impl& impl = *uploader.impl_;
  impl.device = &device;
  const std::uint64_t bytes = std::max(kPage, (staging_bytes + kPage - 1) / kPage * kPage);
  TRY_ASSIGN(impl.staging, Buffer::create(device, bytes, MemoryKind::kUpload, "upload staging"));
  for (int i = 0; i < 2; ++i) {
    impl.halves[i].begin = i * impl.capacity();
    TRY_ASSIGN(impl.halves[i].commands, Commands::create(device, "upload"));
  }
  return uploader;
}

std::uint64_t Uploader::largestPiece() const {
  return impl_->capacity();
}

Result<std::span<std::byte>> Uploader::stage(Slice to) {
  constexpr std::uint64_t kAlignment = 16;
  Impl& impl = *impl_;
  if (!to || to.offset > to.buffer->size() || to.bytes > to.buffer->size() - to.offset)
    return fail(ErrorCode::kInvalidArgument, "upload: bytes {} to {} lie outside buffer {}", to.offset,
                to.offset + to.bytes, to ? to.buffer->name() : "(none)");
  if (to.bytes > impl.capacity())
    return fail(ErrorCode::kInvalidArgument,
                "upload: {} bytes for buffer {} at once, the staging memory takes {}", to.bytes,
                to.buffer->name(), impl.capacity());
  if (const std::span<std::byte> mapped = to.buffer->mapped(); !mapped.empty()) {
    if (!std::exchange(impl.waited, true)) TRY(impl.device->wait(impl.device->lastSubmitted()));
    return mapped.subspan(to.offset, to.bytes);
  }
  if (impl.half().used + to.bytes > impl.capacity()) TRY(impl.flush());
  Impl::Half& half = impl.half();
  const std::uint64_t at = half.begin + half.used;
  // Recorded now, while `to` points to the buffer: it may move before the copy is submitted.
  if (!std::exchange(half.recording, true)) TRY(half.commands.begin());
  half.commands.copy(Slice(impl.staging, at, to.bytes), to);
  half.used += (to.bytes + kAlignment - 1) / kAlignment * kAlignment;
  return impl.staging.mapped().subspan(at, to.bytes);
}

Result<void> Uploader::finish() {
  TRY(impl_->flush());
  for (Impl::Half& half : impl_->halves) {
    half.used = 0;
    TRY(half.commands.wait());
  }
  return {};
}

}  // namespace vitrine::gpu
