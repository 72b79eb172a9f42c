#include "gpu/instance.h"
#include "gpu/log.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace vitrine::gpu {
namespace {

constexpr const char* kValidationLayer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL onMessage(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                         VkDebugUtilsMessageTypeFlagsEXT,
                                         const VkDebugUtilsMessengerCallbackDataEXT* data, void* log) {
  static_cast<ValidationLog*>(log)->add(data->pMessage ? data->pMessage : "(no text)");
  return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messengerInfo(ValidationLog* log) {
  VkDebugUtilsMessengerCreateInfoEXT info{.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
  info.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  // Without GENERAL, through which the loader reports every driver that it could not load.
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  info.pfnUserCallback = onMessage;
  info.pUserData = log;
  return info;
}

bool hasLayer(const char* layer) {
  std::uint32_t count = 0;
  vkEnumerateInstanceLayerProperties(&count, nullptr);
  std::vector<VkLayerProperties> layers(count);
  vkEnumerateInstanceLayerProperties(&count, layers.data());
  return std::any_of(layers.begin(), layers.end(),
                     [&](const VkLayerProperties& it) { return std::strcmp(it.layerName, layer) == 0; });
}

bool hasExtension(const char* layer, const char* extension) {
  std::uint32_t count = 0;
  vkEnumerateInstanceExtensionProperties(layer, &count, nullptr);
  std::vector<VkExtensionProperties> found(count);
  vkEnumerateInstanceExtensionProperties(layer, &count, found.data());
  return std::any_of(found.begin(), found.end(), [&](const VkExtensionProperties& it) {
    return std::strcmp(it.extensionName, extension) == 0;
  });
}

Result<void> requireVulkan13() {
  std::uint32_t version = VK_API_VERSION_1_0;
  vkEnumerateInstanceVersion(&version);
  if (version >= VK_API_VERSION_1_3) return {};
  return fail(ErrorCode::kUnsupported, "the Vulkan loader offers {}.{}, Vitrine needs 1.3: update libvulkan1",
              VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version));
}

}  // namespace

void ValidationLog::add(std::string message) {
  logError(fmt::format("Vulkan validation: {}", message));
  std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
}

std::vector<std::string> ValidationLog::messages() const {
  std::lock_guard lock(mutex_);
  return messages_;
}

Result<std::unique_ptr<Instance>> Instance::create(Validation validation,
                                                   const std::vector<const char*>& extensions) {
  TRY(requireVulkan13());
  std::unique_ptr<Instance> instance(new Instance());
  const bool validate = validation == Validation::kOn && hasLayer(kValidationLayer);
  if (validation == Validation::kOn && !validate)
    logWarning(
        fmt::format("{} is not installed (Debian: vulkan-validationlayers): going on without validation",
                    kValidationLayer));

  std::vector<const char*> enabled = extensions;
  for (const char* wanted : extensions)
    if (!hasExtension(nullptr, wanted))
      return fail(ErrorCode::kUnsupported, "the Vulkan loader has no instance extension {}", wanted);
  instance->debug_utils_ = validate || hasExtension(nullptr, VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
  if (instance->debug_utils_) enabled.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
  const bool synchronization =
      validate && hasExtension(kValidationLayer, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
  if (synchronization) enabled.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);

  VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = "Vitrine";
  application.apiVersion = VK_API_VERSION_1_3;
  VkDebugUtilsMessengerCreateInfoEXT messenger = messengerInfo(&instance->log_);
  const VkValidationFeatureEnableEXT extra = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
  VkValidationFeaturesEXT features{.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT};
  features.enabledValidationFeatureCount = 1;
  features.pEnabledValidationFeatures = &extra;
  VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  info.enabledExtensionCount = static_cast<std::uint32_t>(enabled.size());
  info.ppEnabledExtensionNames = enabled.data();
  if (validate) {
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &kValidationLayer;
    info.pNext = &messenger;
    if (synchronization) messenger.pNext = &features;
  }
  const VkResult result = vkCreateInstance(&info, nullptr, &instance->handle_);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
    return fail(ErrorCode::kUnsupported,
                "no Vulkan driver is installed (Debian: mesa-vulkan-drivers has one that needs no GPU)");
  TRY(check(result, "creating the Vulkan instance"));

  if (validate) {
    messenger.pNext = nullptr;
    const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
        vkGetInstanceProcAddr(instance->handle_, "vkCreateDebugUtilsMessengerEXT"));
    TRY(check(create(instance->handle_, &messenger, nullptr, &instance->messenger_),
              "creating the validation messenger"));
  }
  return instance;
}

Instance::~Instance() {
  if (handle_ == VK_NULL_HANDLE) return;
  if (messenger_ != VK_NULL_HANDLE) {
    const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
        vkGetInstanceProcAddr(handle_, "vkDestroyDebugUtilsMessengerEXT"));
    destroy(handle_, messenger_, nullptr);
  }
  vkDestroyInstance(handle_, nullptr);
}

}  // namespace vitrine::gpu
