// A Vulkan instance, one device and its queue. Everything else in gpu/ is made from a Device and must not
// outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gpu/error.h"
#include "gpu/vulkan.h"

struct VmaAllocator_T;
using VmaAllocator = VmaAllocator_T*;

namespace vitrine::gpu {

struct DeviceProfile;
class Transfer;

// What a device can do; every optional feature is looked up, none assumed.
struct Features {
  bool push_descriptors = false;  // VK_KHR_push_descriptor
  bool storage_16bit = false, storage_8bit = false;
  bool float16 = false, int8 = false, float64 = false;
  bool integer_dot_product = false;
  bool cooperative_matrix = false;   // KHR, with a f16 x f16 -> f32 16x16x16 subgroup shape
  bool cooperative_matrix2 = false;  // VK_NV_cooperative_matrix2 with all of its features
  bool memory_budget = false;
  bool timestamps = false;
  bool subgroup_size_control = false;
  bool external_memory_host = false;
  bool swapchain = false;
};

struct DeviceInfo {
  std::uint32_t index = 0;  // what --device N takes
  std::string name;         // "NVIDIA H100 80GB HBM3", "llvmpipe (LLVM 15.0.6, 256 bits)"
  std::string driver;       // name and version
  VkPhysicalDeviceType type{};
  bool software = false;  // type CPU: texel-buffer kernel variants, one subgroup a workgroup
  std::uint32_t vendor_id = 0, device_id = 0;
  std::uint32_t subgroup_size = 0;  // 8 on lavapipe, 32 on NVIDIA, 64 on AMD
  std::uint32_t compute_units = 0;  // multiprocessors, a software device's threads, or 0: not known
  std::uint32_t shared_memory_bytes = 0;
  std::uint32_t max_push_constants = 0;
  std::uint64_t max_texel_elements = 0, max_allocation_bytes = 0, max_storage_buffer_range = 0;
  std::uint32_t texel_alignment = 0;  // of a buffer view's offset, bytes
  double timestamp_period_ns = 0;
  Features features;
};

struct DeviceOptions {
  std::optional<std::uint32_t> index;  // empty: the best by score (discrete, integrated, virtual, software)
  bool validation = false;  // VK_LAYER_KHRONOS_validation; messages are collected, see validationMessages()
  std::vector<const char*> instance_extensions;  // for surfaces
  bool presentation = false;                     // enable VK_KHR_swapchain where there is one
  // Read on start, written by savePipelineCache(); empty: none. Device and driver are part of the name on
  // disk, so that devices share one setting.
  std::string pipeline_cache_file;
  bool map_device_memory = true;  // where host and device share it; false: as on a discrete GPU (tests)
  bool float64 = true;            // where there is one; false: as on a device without (tests)
};

struct MemoryUsage {
  std::uint64_t used = 0;       // by this process on the device's local heaps, bytes
  std::uint64_t available = 0;  // what the driver would still give (budget), or the heap's size
};

// The devices present, best first, without creating one.
Result<std::vector<DeviceInfo>> listDevices();

class Device {
 public:
  static Result<std::unique_ptr<Device>> create(const DeviceOptions& options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const DeviceInfo& info() const { return info_; }
  VkInstance instance() const { return instance_; }
  VkPhysicalDevice physical() const { return physical_; }
  VkDevice handle() const { return device_; }
  VkQueue queue() const { return queue_; }                     // hold lockQueue() around every use
  std::uint32_t queueFamily() const { return queue_family_; }  // graphics + compute + transfer
  const VkPhysicalDeviceLimits& limits() const;
  VmaAllocator allocator() const { return allocator_; }
  VkPipelineCache pipelineCache() const { return pipeline_cache_; }

  MemoryUsage memory() const;
  // Buffers and images beyond `bytes` in all fail with kOutOfMemory; 0 lifts the limit.
  void limitMemory(std::uint64_t bytes);
  Result<void> savePipelineCache() const;

  // The queue is shared by compute and drawing: whoever submits or presents holds this.
  std::unique_lock<std::mutex> lockQueue() const { return std::unique_lock(queue_mutex_); }

  // One timeline semaphore orders everything submitted through submit().
  VkSemaphore timeline() const { return timeline_; }
  std::uint64_t lastSubmitted() const;  // the value that the newest submission signals
  Result<std::uint64_t> completed() const;
  Result<void> wait(std::uint64_t timeline_value) const;  // blocks; a lost device is an Error
  Result<void> waitIdle() const;

  // Submits `commands` with the given binary semaphores; returns the timeline value that it will signal.
  // Takes the queue's lock itself. Thread-safe.
  Result<std::uint64_t> submit(VkCommandBuffer commands, VkSemaphore wait = VK_NULL_HANDLE,
                               VkPipelineStageFlags2 wait_stage = 0, VkSemaphore signal = VK_NULL_HANDLE);

  // Destroys something once every submission made so far has completed. Thread-safe.
  void destroyLater(std::function<void()> destroy);

  // Errors and warnings of the validation layer since the start (DeviceOptions::validation).
  std::vector<std::string> validationMessages() const;

  bool validating() const;  // false where the layer was asked for and is not installed

  // Shown by the validation layer and debuggers; does nothing without debug utils.
  void setName(VkObjectType type, std::uint64_t object, const std::string& name) const;

  // For the rest of gpu/.
  // Runs `allocate`; when memory is short frees what destroyLater() holds and tries once more. Counts `bytes`
  // against limitMemory() until released().
  Result<void> allocate(std::uint64_t bytes, const std::string& what,
                        const std::function<VkResult()>& allocate);
  void released(std::uint64_t bytes);
  bool mapsDeviceMemory() const;      // host and device share one memory
  bool requiresSubgroupSize() const;  // the driver would choose among several
  bool allowsSpirvCapability(std::uint32_t capability) const;
  // Of timestamps, whose counter wraps around.
  std::uint64_t ticksBetween(std::uint64_t first, std::uint64_t second) const;
  PFN_vkCmdPushDescriptorSetKHR pushDescriptors() const;
  Transfer& transfer();

 private:
  struct Impl;
  Device();
  Result<void> open(const DeviceOptions& options, const DeviceProfile& profile);
  void collect();
  std::unique_ptr<Impl> impl_;
  DeviceInfo info_;
  VkInstance instance_ = VK_NULL_HANDLE;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  std::uint32_t queue_family_ = 0;
  VmaAllocator allocator_ = nullptr;
  VkPipelineCache pipeline_cache_ = VK_NULL_HANDLE;
  VkSemaphore timeline_ = VK_NULL_HANDLE;
  mutable std::mutex queue_mutex_;
};

}  // namespace vitrine::gpu
