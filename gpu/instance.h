// The Vulkan instance with its validation log. Private to gpu/.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gpu/error.h"
#include "gpu/vulkan.h"

namespace vitrine::gpu {

// What the validation layer said; filled from whatever thread calls Vulkan.
class ValidationLog {
 public:
  void add(std::string message);
  std::vector<std::string> messages() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
};

enum class Validation { kOff, kOn };

class Instance {
 public:
  // Asks for Vulkan 1.3. With kOn and no layer installed it goes on without, after a warning on the log.
  static Result<std::unique_ptr<Instance>> create(Validation validation,
                                                  const std::vector<const char*>& extensions);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  VkInstance handle() const { return handle_; }
  bool validating() const { return messenger_ != VK_NULL_HANDLE; }
  bool debugUtils() const { return debug_utils_; }
  std::vector<std::string> messages() const { return log_.messages(); }

 private:
  Instance() = default;
  VkInstance handle_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  bool debug_utils_ = false;
  ValidationLog log_;
};

}  // namespace vitrine::gpu
