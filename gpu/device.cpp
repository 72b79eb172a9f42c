#include "gpu/device.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <fstream>
#include <utility>

#include "gpu/device_profile.h"
#include "gpu/instance.h"
#include "gpu/memory.h"
#include "gpu/pipeline_cache.h"
#include "gpu/transfer.h"

namespace vitrine::gpu {
namespace {

struct Garbage {
  std::uint64_t after = 0;  // timeline value
  std::function<void()> destroy;
};

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1u << 30);
}

// What the operating system would still give: a software device's memory is the machine's.
std::uint64_t availableSystemMemory() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  for (std::uint64_t kib = 0; file >> key >> kib; std::getline(file, unit))
    if (key == "MemAvailable:") return kib * 1024;
  return 0;
}

Result<DeviceProfile> choose(std::vector<DeviceProfile> profiles, const DeviceOptions& options) {
  if (profiles.empty())
    return fail(
        ErrorCode::kNotFound,
        "no Vulkan device found: install a driver (Debian: mesa-vulkan-drivers has one that needs no GPU)");
  const auto lacks = [&](const DeviceProfile& it) {
    std::string missing = it.missing;
    if (missing.empty() && options.presentation && !it.info.features.swapchain)
      missing = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
    return missing;
  };
  if (options.index) {
    if (*options.index >= profiles.size())
      return fail(ErrorCode::kNotFound, "device {} does not exist: there are {}, counted from 0",
                  *options.index, profiles.size());
    DeviceProfile& chosen = profiles[*options.index];
    if (const std::string missing = lacks(chosen); !missing.empty())
      return fail(ErrorCode::kUnsupported, "device {} ({}) lacks what Vitrine needs: {}", *options.index,
                  chosen.info.name, missing);
    return std::move(chosen);
  }
  std::stable_sort(profiles.begin(), profiles.end(), better);
  std::string reasons;
  for (DeviceProfile& profile : profiles) {
    const std::string missing = lacks(profile);
    if (missing.empty()) return std::move(profile);
    reasons += fmt::format("{}{} lacks {}", reasons.empty() ? "" : "; ", profile.info.name, missing);
  }
  return fail(ErrorCode::kUnsupported, "no device has what Vitrine needs: {}", reasons);
}

}  // namespace

struct Device::Impl {
  std::unique_ptr<Instance> instance;
  DeviceProfile profile;
  std::string pipeline_cache_file;
  bool map_device_memory = true;
  PFN_vkCmdPushDescriptorSetKHR push_descriptors = nullptr;
  PFN_vkSetDebugUtilsObjectNameEXT set_name = nullptr;
  std::atomic<std::uint64_t> submitted = 0;
  std::atomic<std::uint64_t> allocated = 0, memory_limit = 0;
  std::mutex garbage_mutex;
  std::deque<Garbage> garbage;
  std::mutex transfer_mutex;
  std::unique_ptr<Transfer> transfer;
};

Result<std::vector<DeviceInfo>> listDevices() {
  TRY_ASSIGN(const std::unique_ptr<Instance> instance, Instance::create(Validation::kOff, {}));
  TRY_ASSIGN(std::vector<DeviceProfile> profiles, profileAll(instance->handle()));
  std::stable_sort(profiles.begin(), profiles.end(), better);
  std::vector<DeviceInfo> infos;
  for (DeviceProfile& profile : profiles) infos.push_back(std::move(profile.info));
  return infos;
}

Device::Device() : impl_(std::make_unique<Impl>()) {}

Result<std::unique_ptr<Device>> Device::create(const DeviceOptions& options) {
  std::unique_ptr<Device> device(new Device());
  const Validation validation = options.validation ? Validation::kOn : Validation::kOff;
  TRY_ASSIGN(device->impl_->instance, Instance::create(validation, options.instance_extensions));
  device->instance_ = device->impl_->instance->handle();
  TRY_ASSIGN(std::vector<DeviceProfile> profiles, profileAll(device->instance_));
  TRY_ASSIGN(device->impl_->profile, choose(std::move(profiles), options));
  DeviceProfile& profile = device->impl_->profile;
  if (!options.float64) leaveOutFloat64(profile);
  profile.info.features.swapchain &= options.presentation;
  if (!options.presentation)
    std::erase_if(profile.extensions,
                  [](const char* it) { return std::strcmp(it, VK_KHR_SWAPCHAIN_EXTENSION_NAME) == 0; });
  if (auto opened = device->open(options, profile); !opened)
    return within(fmt::format("opening device {} ({})", profile.info.index, profile.info.name),
                  opened.error());
  return device;
}

Result<void> Device::open(const DeviceOptions& options, const DeviceProfile& profile) {
  info_ = profile.info;
  physical_ = profile.physical;
  queue_family_ = profile.queue_family;

  const float priority = 1;
  VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queue.queueFamilyIndex = queue_family_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  FeatureChain features = profile.enabled;
  features.link(info_.features.cooperative_matrix, info_.features.cooperative_matrix2);
  VkDeviceCreateInfo create{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &features.core};
  create.queueCreateInfoCount = 1;
  create.pQueueCreateInfos = &queue;
  create.enabledExtensionCount = static_cast<std::uint32_t>(profile.extensions.size());
  create.ppEnabledExtensionNames = profile.extensions.data();
  TRY(check(vkCreateDevice(physical_, &create, nullptr, &device_), "creating the Vulkan device"));
  vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
  if (info_.features.push_descriptors)
    impl_->push_descriptors = reinterpret_cast<PFN_vkCmdPushDescriptorSetKHR>(
        vkGetDeviceProcAddr(device_, "vkCmdPushDescriptorSetKHR"));
  if (impl_->instance->debugUtils())
    impl_->set_name = reinterpret_cast<PFN_vkSetDebugUtilsObjectNameEXT>(
        vkGetInstanceProcAddr(instance_, "vkSetDebugUtilsObjectNameEXT"));

  VmaAllocatorCreateInfo allocator{};
  allocator.flags = VMA_ALLOCATOR_CREATE_BUFFER_DEVICE_ADDRESS_BIT;
  if (info_.features.memory_budget) allocator.flags |= VMA_ALLOCATOR_CREATE_EXT_MEMORY_BUDGET_BIT;
  allocator.physicalDevice = physical_;
  allocator.device = device_;
  allocator.instance = instance_;
  allocator.vulkanApiVersion = VK_API_VERSION_1_3;
  TRY(check(vmaCreateAllocator(&allocator, &allocator_), "creating the memory allocator"));

  VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO};
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  const VkSemaphoreCreateInfo semaphore{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
  TRY(check(vkCreateSemaphore(device_, &semaphore, nullptr, &timeline_), "creating the timeline semaphore"));

  impl_->map_device_memory = options.map_device_memory;
  impl_->pipeline_cache_file = pipelineCachePath(options.pipeline_cache_file, profile);
  TRY_ASSIGN(pipeline_cache_, loadPipelineCache(device_, profile, impl_->pipeline_cache_file));
  return {};
}

Device::~Device() {
  if (device_ != VK_NULL_HANDLE) {
    vkDeviceWaitIdle(device_);
    impl_->transfer.reset();
    while (!impl_->garbage.empty()) {
      const Garbage next = std::move(impl_->garbage.front());
      impl_->garbage.pop_front();
      next.destroy();
    }
    vkDestroyPipelineCache(device_, pipeline_cache_, nullptr);
    vkDestroySemaphore(device_, timeline_, nullptr);
    if (allocator_) vmaDestroyAllocator(allocator_);
    vkDestroyDevice(device_, nullptr);
  }
}

const VkPhysicalDeviceLimits& Device::limits() const {
  return impl_->profile.limits;
}

MemoryUsage Device::memory() const {
  const VkPhysicalDeviceMemoryProperties* properties = nullptr;
  vmaGetMemoryProperties(allocator_, &properties);
  VmaBudget budgets[VK_MAX_MEMORY_HEAPS];
  vmaGetHeapBudgets(allocator_, budgets);
  MemoryUsage usage;
  for (std::uint32_t i = 0; i < properties->memoryHeapCount; ++i) {
    if (!(properties->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)) continue;
    usage.used += budgets[i].usage;
    usage.available += budgets[i].budget > budgets[i].usage ? budgets[i].budget - budgets[i].usage : 0;
  }
  if (info_.software)
    if (const std::uint64_t system = availableSystemMemory()) usage.available = system;
  if (const std::uint64_t limit = impl_->memory_limit) {
    const std::uint64_t allocated = impl_->allocated;
    usage.available = std::min(usage.available, limit > allocated ? limit - allocated : 0);
  }
  return usage;
}

void Device::limitMemory(std::uint64_t bytes) {
  impl_->memory_limit = bytes;
}

Result<void> Device::allocate(std::uint64_t bytes, const std::string& what,
                              const std::function<VkResult()>& allocate) {
  const auto attempt = [&] {
    const std::uint64_t limit = impl_->memory_limit, before = impl_->allocated.fetch_add(bytes);
    const VkResult result = limit && before + bytes > limit ? VK_ERROR_OUT_OF_DEVICE_MEMORY : allocate();
    if (result != VK_SUCCESS) impl_->allocated -= bytes;
    return result;
  };
  VkResult result = attempt();
  if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
    TRY(wait(lastSubmitted()));
    collect();
    result = attempt();
  }
  if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
    const MemoryUsage usage = memory();
    return fail(ErrorCode::kOutOfMemory,
                "{}: needs {:.3f} GiB on {}, which has {:.3f} GiB left ({:.3f} GiB in use by Vitrine)", what,
                gib(bytes), info_.name, gib(usage.available), gib(usage.used));
  }
  return check(result, what);
}

void Device::released(std::uint64_t bytes) {
  impl_->allocated -= bytes;
}

Result<void> Device::savePipelineCache() const {
  if (impl_->pipeline_cache_file.empty()) return {};
  return storePipelineCache(device_, pipeline_cache_, impl_->profile, impl_->pipeline_cache_file);
}

std::uint64_t Device::lastSubmitted() const {
  return impl_->submitted;
}

Result<std::uint64_t> Device::completed() const {
  std::uint64_t value = 0;
  TRY(check(vkGetSemaphoreCounterValue(device_, timeline_, &value), "asking how far the device is"));
  return value;
}

Result<void> Device::wait(std::uint64_t timeline_value) const {
  VkSemaphoreWaitInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO};
  info.semaphoreCount = 1;
  info.pSemaphores = &timeline_;
  info.pValues = &timeline_value;
  return check(vkWaitSemaphores(device_, &info, UINT64_MAX), "waiting for the device");
}

Result<void> Device::waitIdle() const {
  const auto lock = lockQueue();
  return check(vkDeviceWaitIdle(device_), "waiting for the device");
}

Result<std::uint64_t> Device::submit(VkCommandBuffer commands, VkSemaphore wait,
                                     VkPipelineStageFlags2 wait_stage, VkSemaphore signal) {
  VkCommandBufferSubmitInfo buffer{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO};
  buffer.commandBuffer = commands;
  VkSemaphoreSubmitInfo before{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO};
  VkSemaphoreSubmitInfo after[2] = {before, before};
  before.semaphore = wait;
  before.stageMask = wait_stage;
  after[0].semaphore = timeline_;
  after[0].stageMask = after[1].stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
  after[1].semaphore = signal;
  VkSubmitInfo2 info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2};
  info.waitSemaphoreInfoCount = wait == VK_NULL_HANDLE ? 0 : 1;
  info.pWaitSemaphoreInfos = &before;
  info.commandBufferInfoCount = 1;
  info.pCommandBufferInfos = &buffer;
  info.signalSemaphoreInfoCount = signal == VK_NULL_HANDLE ? 1 : 2;
  info.pSignalSemaphoreInfos = after;
  std::uint64_t value = 0;
  {
    const auto lock = lockQueue();
    value = impl_->submitted + 1;
    after[0].value = value;
    TRY(check(vkQueueSubmit2(queue_, 1, &info, VK_NULL_HANDLE), "submitting work"));
    impl_->submitted = value;
  }
  collect();
  return value;
}

void Device::destroyLater(std::function<void()> destroy) {
  {
    std::lock_guard lock(impl_->garbage_mutex);
    impl_->garbage.push_back({impl_->submitted, std::move(destroy)});
  }
  collect();
}

void Device::collect() {
  std::deque<Garbage> ready;
  {
    std::lock_guard lock(impl_->garbage_mutex);
    if (impl_->garbage.empty()) return;
    const Result<std::uint64_t> done = completed();
    if (!done) return;  // a lost device: the next submission or wait tells the caller
    while (!impl_->garbage.empty() && impl_->garbage.front().after <= *done) {
      ready.push_back(std::move(impl_->garbage.front()));
      impl_->garbage.pop_front();
    }
  }
  for (const Garbage& it : ready) it.destroy();
}

std::vector<std::string> Device::validationMessages() const {
  return impl_->instance->messages();
}

bool Device::validating() const {
  return impl_->instance->validating();
}

void Device::setName(VkObjectType type, std::uint64_t object, const std::string& name) const {
  if (!impl_->set_name) return;
  VkDebugUtilsObjectNameInfoEXT info{.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT};
  info.objectType = type;
  info.objectHandle = object;
  info.pObjectName = name.c_str();
  impl_->set_name(device_, &info);
}

bool Device::mapsDeviceMemory() const {
  return impl_->map_device_memory && (info_.software || info_.type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU);
}

bool Device::requiresSubgroupSize() const {
  return impl_->profile.subgroup_size_varies && info_.features.subgroup_size_control;
}

bool Device::allowsSpirvCapability(std::uint32_t capability) const {
  return impl_->profile.spirv_capabilities.contains(capability);
}

std::uint64_t Device::ticksBetween(std::uint64_t first, std::uint64_t second) const {
  const std::uint32_t bits = impl_->profile.timestamp_bits;
  return (second - first) & (bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1);
}

PFN_vkCmdPushDescriptorSetKHR Device::pushDescriptors() const {
  return impl_->push_descriptors;
}

Transfer& Device::transfer() {
  std::lock_guard lock(impl_->transfer_mutex);
  if (!impl_->transfer) impl_->transfer = std::make_unique<Transfer>(*this);
  return *impl_->transfer;
}

}  // namespace vitrine::gpu
