// A command buffer: dispatches with declared reads and writes, from which the barriers follow.
// Recorded once, submitted once or many times.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gpu/buffer.h"
#include "gpu/hazards.h"
#include "gpu/image.h"
#include "gpu/kernel.h"

namespace vitrine::gpu {

struct Groups {  // number of workgroups
  std::uint32_t x = 1, y = 1, z = 1;
};

// How many groups of `size` cover `count`.
constexpr std::uint32_t divideUp(std::uint64_t count, std::uint64_t size) {
  return static_cast<std::uint32_t>((count + size - 1) / size);
}

// What stands at one binding of a kernel with descriptors.
struct Bound {
  VkBufferView texels = VK_NULL_HANDLE;
  const Image* image = nullptr;
  VkSampler sampler = VK_NULL_HANDLE;
  Slice storage;

  Bound(VkBufferView view) : texels(view) {}                    // NOLINT
  Bound(const Image& storage_image) : image(&storage_image) {}  // NOLINT
  Bound(const Image& sampled, VkSampler with) : image(&sampled), sampler(with) {}
  Bound(Slice buffer) : storage(buffer) {}  // NOLINT
};

struct Access {
  std::vector<Slice> reads;   // buffers that the dispatch reads and somebody may have written
  std::vector<Slice> writes;  // buffers that it writes (or reads and writes)
};

class Commands {
 public:
  static Result<Commands> create(Device& device, std::string name);
  Commands() = default;
  Commands(Commands&& other) noexcept;
  Commands& operator=(Commands&& other) noexcept;
  ~Commands();

  // Starts over; what was recorded is dropped. Waits for the last submission. What the buffer records comes
  // after everything submitted earlier, so it may be submitted again while it still runs.
  Result<void> begin();
  // The first error of the recording, if any. Writes to mapped buffers become visible to the host.
  Result<void> end();

  // One dispatch. `params` is the kernel's push-constant struct (size checked against the shader, in release
  // too); `bound` fills the kernel's bindings in ascending order (count checked). A memory barrier goes in
  // front when `access` conflicts with anything recorded since the last one (read after write, write after
  // read, write after write); weights that nobody writes need not be declared. Bound images are declared by
  // being bound: storage images as written, sampled ones as read. A struct without members stands for no push
  // constants.
  template <typename Params>
  void dispatch(const Kernel& kernel, Groups groups, const Params& params, const Access& access,
                std::span<const Bound> bound = {}) {
    static_assert(std::is_trivially_copyable_v<Params>);
    dispatchRaw(kernel, groups, &params, std::is_empty_v<Params> ? 0 : sizeof(Params), access, bound,
                nullptr);
  }
  // The group counts come from a VkDispatchIndirectCommand at `indirect` (declared as a read by this call).
  template <typename Params>
  void dispatchIndirect(const Kernel& kernel, Slice indirect, const Params& params, const Access& access,
                        std::span<const Bound> bound = {}) {
    static_assert(std::is_trivially_copyable_v<Params>);
    dispatchRaw(kernel, {}, &params, std::is_empty_v<Params> ? 0 : sizeof(Params), access, bound, &indirect);
  }

  void copy(Slice from, Slice to);  // min of the sizes
  // Offsets are multiples of 4, and sizes too unless the slice ends with its buffer.
  void fill(Slice slice, std::uint32_t value);
  void update(Slice slice, std::span<const std::byte> data);  // at most 65,536 bytes, inline
  void copyToImage(Slice from, const Image& to);
  void clear(const Image& image, float value);
  void copyFromImage(const Image& from, Slice to);
  void barrier();  // everything before is visible to everything after (compute, transfer, drawing, indirect)
  void hostBarrier();  // device writes so far become visible to the host after the timeline value passes

  // Timestamps: mark() stores the time at which all work so far has finished. Read after completion.
  void mark(std::string label);
  struct Mark {
    std::string label;
    double ms = 0;  // since the first mark of this command buffer
  };
  Result<std::vector<Mark>> marks()
      const;  // waits for the last submission; zeros on a device without timestamps

  std::uint32_t dispatches() const { return dispatches_; }
  std::uint32_t barriers() const { return barriers_; }  // between commands, as hazards or barrier() made them

  // Returns the device timeline's value that this submission signals. The semaphores are a window's
  // (Swapchain).
  Result<std::uint64_t> submit(VkSemaphore wait = VK_NULL_HANDLE, VkPipelineStageFlags2 wait_stage = 0,
                               VkSemaphore signal = VK_NULL_HANDLE);
  Result<void> submitAndWait();
  Result<void> wait() const;  // for the last submission; at once when there was none
  VkCommandBuffer handle() const { return handle_; }

 private:
  enum class State { kEmpty, kRecording, kReady };

  void dispatchRaw(const Kernel& kernel, Groups groups, const void* params, std::size_t params_bytes,
                   const Access& access, std::span<const Bound> bound, const Slice* indirect);
  bool bind(const Kernel& kernel, std::span<const Bound> bound);
  void touch(const Slice& slice, Use use, VkPipelineStageFlags2 stage);
  void touch(const Image& image, Use use, VkPipelineStageFlags2 stage);
  void order();  // puts the barrier in front of the command whose touches were told
  void memoryBarrier(const Dependency& dependency);
  void remember(Error error);
  bool recording(const char* what);
  void release();

  Device* device_ = nullptr;
  std::string name_;
  State state_ = State::kEmpty;
  std::optional<Error> error_;  // the first of a recording, told by end()
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkCommandBuffer handle_ = VK_NULL_HANDLE;
  std::vector<VkQueryPool> queries_;
  std::vector<std::string> mark_labels_;
  Hazards hazards_;
  bool wrote_mapped_ = false;  // the host may look: end() makes the writes visible to it
  std::uint32_t dispatches_ = 0, barriers_ = 0;
  std::uint64_t last_submission_ = 0;
};

// Host data to a device buffer and back, through staging memory where the buffer is not mapped. Blocking;
// ordered after everything submitted before. Thread-safe.
Result<void> upload(Device& device, std::span<const std::byte> data, Slice to);
Result<void> download(Device& device, Slice from, std::span<std::byte> data);

// Many uploads in a row, overlapped: write() may return before the copy has happened, finish() waits for all.
class Uploader {
 public:
  static Result<Uploader> create(Device& device, std::uint64_t staging_bytes = 64u << 20);
  Uploader(Uploader&&) noexcept;
  Uploader& operator=(Uploader&&) noexcept;
  ~Uploader();
  // Host memory of to.bytes (at most half the staging size) to fill before the next call; it lands in `to`,
  // which nothing submitted after create() may use before finish(). On unified memory it is `to` itself.
  Result<std::span<std::byte>> stage(Slice to);
  std::uint64_t largestPiece() const;  // what stage() takes at most
  Result<void> finish();

 private:
  Uploader();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::gpu
