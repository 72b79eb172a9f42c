#include "gpu/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace vitrine::gpu {
namespace {

constexpr VkPipelineStageFlags2 kHost = VK_PIPELINE_STAGE_2_HOST_BIT;
constexpr VkPipelineStageFlags2 kEverything = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;

constexpr std::uint32_t kQueriesPerPool = 128;

VkAccessFlags2 writesOf(VkPipelineStageFlags2 stages) {
  if (stages & kEverything) return VK_ACCESS_2_MEMORY_WRITE_BIT;
  return (stages & kComputeStage ? VK_ACCESS_2_SHADER_WRITE_BIT : 0) |
         (stages & kTransferStage ? VK_ACCESS_2_TRANSFER_WRITE_BIT : 0);
}

VkAccessFlags2 accessesOf(VkPipelineStageFlags2 stages) {
  if (stages & kEverything) return VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT;
  return writesOf(stages) | (stages & kComputeStage ? VK_ACCESS_2_SHADER_READ_BIT : 0) |
         (stages & kTransferStage ? VK_ACCESS_2_TRANSFER_READ_BIT : 0) |
         (stages & kIndirectStage ? VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT : 0) |
         (stages & kHost ? VK_ACCESS_2_HOST_READ_BIT : 0);
}

// A promise that the caller of a recording function broke; `what` names the objects.
void demand(bool kept, const char* file, int line, const std::string& what) {
  if (!kept) assertionFailed(what.c_str(), file, line);
}
#define DEMAND(kept, ...)                                                     \
  do {                                                                        \
    if (!(kept)) demand(false, __FILE__, __LINE__, fmt::format(__VA_ARGS__)); \
  } while (false)

void demandInside(const Slice& slice, const std::string& what) {
  DEMAND(slice.buffer && *slice.buffer, "{}: the slice has no buffer", what);
  DEMAND(slice.offset <= slice.buffer->size() && slice.bytes <= slice.buffer->size() - slice.offset,
         "{}: bytes {} to {} lie outside buffer {} ({} bytes)", what, slice.offset,
         slice.offset + slice.bytes, slice.buffer->name(), slice.buffer->size());
}

// vkCmdFillBuffer and vkCmdUpdateBuffer work on words; a buffer's own end may be rounded up, its memory is.
std::uint64_t wholeWords(const Slice& slice, const std::string& what) {
  const bool at_end = slice.offset + slice.bytes == slice.buffer->size();
  DEMAND(slice.offset % 4 == 0 && (slice.bytes % 4 == 0 || at_end),
         "{}: bytes {} to {} of buffer {} are not whole words of 4 bytes", what, slice.offset,
         slice.offset + slice.bytes, slice.buffer->name());
  return (slice.bytes + 3) / 4 * 4;
}

}  // namespace

Result<Commands> Commands::create(Device& device, std::string name) {
  Commands commands;
  commands.device_ = &device;
  commands.name_ = std::move(name);
  VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  pool.queueFamilyIndex = device.queueFamily();
  TRY(check(vkCreateCommandPool(device.handle(), &pool, nullptr, &commands.pool_),
            "creating a command pool"));
  VkCommandBufferAllocateInfo allocate{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
  allocate.commandPool = commands.pool_;
  allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocate.commandBufferCount = 1;
  TRY(check(vkAllocateCommandBuffers(device.handle(), &allocate, &commands.handle_),
            "creating a command buffer"));
  device.setName(VK_OBJECT_TYPE_COMMAND_BUFFER, reinterpret_cast<std::uint64_t>(commands.handle_),
                 commands.name_);
  return commands;
}

Commands::Commands(Commands&& other) noexcept {
  *this = std::move(other);
}

Commands& Commands::operator=(Commands&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = std::exchange(other.device_, nullptr);
  name_ = std::exchange(other.name_, {});
  state_ = std::exchange(other.state_, State::kEmpty);
  error_ = std::exchange(other.error_, std::nullopt);
  pool_ = std::exchange(other.pool_, VK_NULL_HANDLE);
  handle_ = std::exchange(other.handle_, VK_NULL_HANDLE);
  queries_ = std::exchange(other.queries_, {});
  mark_labels_ = std::exchange(other.mark_labels_, {});
  hazards_ = std::exchange(other.hazards_, {});
  wrote_mapped_ = std::exchange(other.wrote_mapped_, false);
  dispatches_ = std::exchange(other.dispatches_, 0);
  barriers_ = std::exchange(other.barriers_, 0);
  last_submission_ = std::exchange(other.last_submission_, 0);
  return *this;
}

Commands::~Commands() {
  release();
}

void Commands::release() {
  if (!device_) return;
  device_->destroyLater([device = device_->handle(), pool = pool_, queries = std::move(queries_)] {
    for (const VkQueryPool it : queries) vkDestroyQueryPool(device, it, nullptr);
    vkDestroyCommandPool(device, pool, nullptr);
  });
  device_ = nullptr;
}

Result<void> Commands::begin() {
  VITRINE_ASSERT(device_ != nullptr);
  TRY(device_->wait(last_submission_));
  TRY(check(vkResetCommandPool(device_->handle(), pool_, 0), name_));
  hazards_.clear();
  error_.reset();
  mark_labels_.clear();
  wrote_mapped_ = false;
  dispatches_ = barriers_ = 0;
  VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  info.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
  TRY(check(vkBeginCommandBuffer(handle_, &info), name_));
  state_ = State::kRecording;
  // Earlier submissions, this buffer's own among them, may still compute, copy, or draw from what follows
  // writes.
  memoryBarrier({kEverything, kRecordedStages});
  return {};
}

Result<void> Commands::end() {
  VITRINE_ASSERT(state_ == State::kRecording);
  if (wrote_mapped_) hostBarrier();
  state_ = State::kEmpty;
  const VkResult result = vkEndCommandBuffer(handle_);
  if (error_) return within(fmt::format("recording {}", name_), *error_);
  TRY(check(result, fmt::format("recording {}", name_)));
  state_ = State::kReady;
  return {};
}

bool Commands::recording(const char* what) {
  DEMAND(state_ == State::kRecording, "{} on {}: begin() comes first", what, name_);
  return !error_;
}

void Commands::remember(Error error) {
  if (!error_) error_ = std::move(error);
}

void Commands::touch(const Slice& slice, Use use, VkPipelineStageFlags2 stage) {
  if (!slice || slice.bytes == 0) return;
  demandInside(slice, name_);
  hazards_.touch({reinterpret_cast<std::uint64_t>(slice.buffer->handle()), slice.offset,
                  slice.offset + slice.bytes, use, stage});
  wrote_mapped_ |= use == Use::kWrite && !slice.buffer->mapped().empty();
}

void Commands::touch(const Image& image, Use use, VkPipelineStageFlags2 stage) {
  hazards_.touch({reinterpret_cast<std::uint64_t>(image.handle()), 0, 1, use, stage});
}

void Commands::order() {
  const std::optional<Dependency> dependency = hazards_.order();
  if (!dependency) return;
  memoryBarrier(*dependency);
  ++barriers_;
}

void Commands::memoryBarrier(const Dependency& dependency) {
  VkMemoryBarrier2 barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2};
  barrier.srcStageMask = dependency.from;
  barrier.srcAccessMask = writesOf(dependency.from);
  barrier.dstStageMask = dependency.to;
  barrier.dstAccessMask = accessesOf(dependency.to);
  VkDependencyInfo info{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO};
  info.memoryBarrierCount = 1;
  info.pMemoryBarriers = &barrier;
  vkCmdPipelineBarrier2(handle_, &info);
}

void Commands::dispatchRaw(const Kernel& kernel, Groups groups, const void* params, std::size_t params_bytes,
                           const Access& access, std::span<const Bound> bound, const Slice* indirect) {
  if (!recording("dispatch")) return;
  DEMAND(bool(kernel), "{}: dispatch of an empty kernel", name_);
  DEMAND(params_bytes == kernel.pushConstantBytes(),
         "kernel {}: the parameter struct has {} bytes, the shader's push constants {}", kernel.name(),
         params_bytes, kernel.pushConstantBytes());
  DEMAND(bound.size() == kernel.bindings().size(), "kernel {}: {} bindings given, the shader has {}",
         kernel.name(), bound.size(), kernel.bindings().size());
  const std::uint32_t* most = device_->limits().maxComputeWorkGroupCount;
  DEMAND(groups.x <= most[0] && groups.y <= most[1] && groups.z <= most[2],
         "kernel {}: {} x {} x {} workgroups, the device allows {} x {} x {}", kernel.name(), groups.x,
         groups.y, groups.z, most[0], most[1], most[2]);
  if (groups.x == 0 || groups.y == 0 || groups.z == 0) return;

  for (const Slice& it : access.reads) touch(it, Use::kRead, kComputeStage);
  for (const Slice& it : access.writes) touch(it, Use::kWrite, kComputeStage);
  for (const Bound& it : bound)
    if (it.image) touch(*it.image, it.sampler == VK_NULL_HANDLE ? Use::kWrite : Use::kRead, kComputeStage);
  if (indirect) touch(*indirect, Use::kRead, kIndirectStage);
  order();

  vkCmdBindPipeline(handle_, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline());
  if (!bound.empty() && !bind(kernel, bound)) return;
  if (params_bytes > 0)
    vkCmdPushConstants(handle_, kernel.layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       static_cast<std::uint32_t>(params_bytes), params);
  if (indirect) {
    DEMAND(indirect->offset % 4 == 0 && indirect->bytes >= sizeof(VkDispatchIndirectCommand),
           "kernel {}: {} bytes at {} of buffer {} are no VkDispatchIndirectCommand", kernel.name(),
           indirect->bytes, indirect->offset, indirect->buffer->name());
    vkCmdDispatchIndirect(handle_, indirect->buffer->handle(), indirect->offset);
  } else {
    vkCmdDispatch(handle_, groups.x, groups.y, groups.z);
  }
  ++dispatches_;
}

bool Commands::bind(const Kernel& kernel, std::span<const Bound> bound) {
  std::vector<VkWriteDescriptorSet> writes(
      bound.size(), VkWriteDescriptorSet{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET});
  std::vector<VkDescriptorImageInfo> images(bound.size());
  std::vector<VkDescriptorBufferInfo> buffers(bound.size());
  const auto demandKind = [&](const Binding& binding, bool fits) {
    DEMAND(fits, "kernel {}: binding {} is given an object of another kind", kernel.name(), binding.index);
  };
  for (std::size_t i = 0; i < bound.size(); ++i) {
    const Binding& binding = kernel.bindings()[i];
    const Bound& it = bound[i];
    VkWriteDescriptorSet& write = writes[i];
    write.dstBinding = binding.index;
    write.descriptorCount = 1;
    switch (binding.kind) {
      case BindingKind::kTexelBuffer:
        demandKind(binding, it.texels != VK_NULL_HANDLE);
        write.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
        write.pTexelBufferView = &it.texels;
        break;
      case BindingKind::kStorageImage:
      case BindingKind::kSampledImage: {
        const bool sampled = binding.kind == BindingKind::kSampledImage;
        demandKind(binding, it.image && *it.image && (it.sampler != VK_NULL_HANDLE) == sampled);
        images[i] = {it.sampler, it.image->view(), VK_IMAGE_LAYOUT_GENERAL};
        write.descriptorType =
            sampled ? VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER : VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
        write.pImageInfo = &images[i];
        break;
      }
      case BindingKind::kStorageBuffer:
        demandKind(binding, bool(it.storage));
        demandInside(it.storage, kernel.name());
        DEMAND(it.storage.offset % device_->limits().minStorageBufferOffsetAlignment == 0,
               "kernel {}: binding {} starts at byte {}, the device wants multiples of {}", kernel.name(),
               binding.index, it.storage.offset, device_->limits().minStorageBufferOffsetAlignment);
        if (it.storage.bytes > device_->info().max_storage_buffer_range) {
          remember({ErrorCode::kUnsupported,
                    fmt::format("kernel {}: binding {} is {} bytes of buffer {}, {} allows {}", kernel.name(),
                                binding.index, it.storage.bytes, it.storage.buffer->name(),
                                device_->info().name, device_->info().max_storage_buffer_range),
                    nullptr});
          return false;
        }
        buffers[i] = {it.storage.buffer->handle(), it.storage.offset, it.storage.bytes};
        write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        write.pBufferInfo = &buffers[i];
        break;
    }
  }
  device_->pushDescriptors()(handle_, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout(), 0,
                             static_cast<std::uint32_t>(writes.size()), writes.data());
  return true;
}

void Commands::copy(Slice from, Slice to) {
  if (!recording("copy")) return;
  const std::uint64_t bytes = std::min(from.bytes, to.bytes);
  if (bytes == 0) return;
  from.bytes = to.bytes = bytes;
  demandInside(from, name_);
  demandInside(to, name_);
  DEMAND(from.buffer->handle() != to.buffer->handle() || from.offset + bytes <= to.offset ||
             to.offset + bytes <= from.offset,
         "{}: a copy of {} bytes within buffer {} overlaps itself", name_, bytes, to.buffer->name());
  touch(from, Use::kRead, kTransferStage);
  touch(to, Use::kWrite, kTransferStage);
  order();
  const VkBufferCopy region{from.offset, to.offset, bytes};
  vkCmdCopyBuffer(handle_, from.buffer->handle(), to.buffer->handle(), 1, &region);
}

void Commands::fill(Slice slice, std::uint32_t value) {
  if (!recording("fill") || slice.bytes == 0) return;
  demandInside(slice, name_);
  const std::uint64_t bytes = wholeWords(slice, name_);
  touch(slice, Use::kWrite, kTransferStage);
  order();
  vkCmdFillBuffer(handle_, slice.buffer->handle(), slice.offset, bytes, value);
}

void Commands::update(Slice slice, std::span<const std::byte> data) {
  constexpr std::size_t kMost = 65536;
  if (!recording("update") || slice.bytes == 0) return;
  demandInside(slice, name_);
  DEMAND(data.size() == slice.bytes && data.size() <= kMost,
         "{}: update of {} bytes of buffer {} with {} bytes (at most {})", name_, slice.bytes,
         slice.buffer->name(), data.size(), kMost);
  const std::uint64_t bytes = wholeWords(slice, name_);
  std::vector<std::byte> padded(bytes);
  std::memcpy(padded.data(), data.data(), data.size());
  touch(slice, Use::kWrite, kTransferStage);
  order();
  vkCmdUpdateBuffer(handle_, slice.buffer->handle(), slice.offset, bytes, padded.data());
}

void Commands::copyToImage(Slice from, const Image& to) {
  if (!recording("copyToImage")) return;
  from.bytes = std::min(from.bytes, to.bytes());
  demandInside(from, name_);
  DEMAND(bool(to) && from.bytes == to.bytes() && from.offset % 16 == 0,
         "{}: {} bytes at {} of buffer {} do not fill the image ({} bytes)", name_, from.bytes, from.offset,
         from.buffer->name(), to.bytes());
  touch(from, Use::kRead, kTransferStage);
  touch(to, Use::kWrite, kTransferStage);
  order();
  VkBufferImageCopy region{};
  region.bufferOffset = from.offset;
  region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
  region.imageExtent = {to.width(), to.height(), 1};
  vkCmdCopyBufferToImage(handle_, from.buffer->handle(), to.handle(), VK_IMAGE_LAYOUT_GENERAL, 1, &region);
}

void Commands::clear(const Image& image, float value) {
  if (!recording("clear")) return;
  touch(image, Use::kWrite, kTransferStage);
  order();
  const VkClearColorValue color{.float32 = {value, value, value, value}};
  const VkImageSubresourceRange all{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  vkCmdClearColorImage(handle_, image.handle(), VK_IMAGE_LAYOUT_GENERAL, &color, 1, &all);
}

void Commands::copyFromImage(const Image& from, Slice to) {
  if (!recording("copyFromImage")) return;
  to.bytes = std::min(to.bytes, from.bytes());
  demandInside(to, name_);
  DEMAND(bool(from) && to.bytes == from.bytes() && to.offset % 16 == 0,
         "{}: {} bytes at {} of buffer {} do not hold the image ({} bytes)", name_, to.bytes, to.offset,
         to.buffer->name(), from.bytes());
  touch(from, Use::kRead, kTransferStage);
  touch(to, Use::kWrite, kTransferStage);
  order();
  VkBufferImageCopy region{};
  region.bufferOffset = to.offset;
  region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
  region.imageExtent = {from.width(), from.height(), 1};
  vkCmdCopyImageToBuffer(handle_, from.handle(), VK_IMAGE_LAYOUT_GENERAL, to.buffer->handle(), 1, &region);
}

void Commands::barrier() {
  if (!recording("barrier")) return;
  memoryBarrier({kEverything, kEverything});
  hazards_.clear();
  ++barriers_;
}

void Commands::hostBarrier() {
  if (!recording("hostBarrier")) return;
  memoryBarrier({kComputeStage | kTransferStage, kHost});
}

void Commands::mark(std::string label) {
  if (!recording("mark")) return;
  const auto index = static_cast<std::uint32_t>(mark_labels_.size());
  mark_labels_.push_back(std::move(label));
  if (!device_->info().features.timestamps) return;
  const std::uint32_t pool = index / kQueriesPerPool;
  if (pool == queries_.size()) {
    VkQueryPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = kQueriesPerPool;
    VkQueryPool made = VK_NULL_HANDLE;
    auto result = check(vkCreateQueryPool(device_->handle(), &info, nullptr, &made), "creating timestamps");
    if (!result) return remember(std::move(result).error());
    queries_.push_back(made);
  }
  if (index % kQueriesPerPool == 0) vkCmdResetQueryPool(handle_, queries_[pool], 0, kQueriesPerPool);
  vkCmdWriteTimestamp2(handle_, kEverything, queries_[pool], index % kQueriesPerPool);
}

Result<std::vector<Commands::Mark>> Commands::marks() const {
  std::vector<Mark> marks;
  for (const std::string& label : mark_labels_) marks.push_back({label, 0});
  if (marks.empty() || !device_->info().features.timestamps) return marks;
  TRY(device_->wait(last_submission_));
  std::vector<std::uint64_t> ticks(marks.size());
  for (std::size_t first = 0; first < ticks.size(); first += kQueriesPerPool) {
    const std::size_t count = std::min<std::size_t>(kQueriesPerPool, ticks.size() - first);
    TRY(check(vkGetQueryPoolResults(device_->handle(), queries_[first / kQueriesPerPool], 0,
                                    static_cast<std::uint32_t>(count), count * 8, &ticks[first], 8,
                                    VK_QUERY_RESULT_64_BIT),
              fmt::format("reading the timestamps of {}", name_)));
  }
  for (std::size_t i = 0; i < marks.size(); ++i)
    marks[i].ms = static_cast<double>(device_->ticksBetween(ticks[0], ticks[i])) *
                  device_->info().timestamp_period_ns * 1e-6;
  return marks;
}

Result<std::uint64_t> Commands::submit(VkSemaphore wait, VkPipelineStageFlags2 wait_stage,
                                       VkSemaphore signal) {
  DEMAND(state_ == State::kReady, "submit of {}: end() comes first, and its error must be heeded", name_);
  auto value = device_->submit(handle_, wait, wait_stage, signal);
  if (!value) return within(fmt::format("running {}", name_), value.error());
  last_submission_ = *value;
  return value;
}

Result<void> Commands::wait() const {
  auto waited = device_->wait(last_submission_);
  if (!waited) return within(fmt::format("running {}", name_), waited.error());
  return {};
}

Result<void> Commands::submitAndWait() {
  TRY(submit());
  return wait();
}

}  // namespace vitrine::gpu
