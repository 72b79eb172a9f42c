#include "gpu/pipeline_cache.h"
#include "gpu/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <vector>

namespace vitrine::gpu {
namespace {

struct Header {
  char magic[8] = {'V', 'I', 'T', 'R', 'P', 'I', 'P', '1'};
  std::uint32_t vendor_id = 0, device_id = 0, driver_version = 0, reserved = 0;
  std::uint8_t driver_key[VK_UUID_SIZE] = {};
  std::uint64_t bytes = 0, checksum = 0;
};
static_assert(sizeof(Header) == 56);

// FNV-1a, 64 bits.
std::uint64_t checksumOf(std::span<const char> data) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : data) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return hash;
}

Header headerFor(const DeviceProfile& profile, std::span<const char> data) {
  Header header;
  header.vendor_id = profile.info.vendor_id;
  header.device_id = profile.info.device_id;
  header.driver_version = profile.driver_version;
  std::copy_n(profile.driver_key, VK_UUID_SIZE, header.driver_key);
  header.bytes = data.size();
  header.checksum = checksumOf(data);
  return header;
}

// The driver's bytes, or nothing when the file is missing, of another driver, or damaged.
std::optional<std::vector<char>> readCache(const DeviceProfile& profile, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  const std::vector<char> all{std::istreambuf_iterator<char>(file), {}};
  if (all.size() < sizeof(Header)) return std::nullopt;
  const std::span<const char> data = std::span(all).subspan(sizeof(Header));
  const Header expected = headerFor(profile, data);
  if (std::memcmp(all.data(), &expected, sizeof(Header)) != 0) return std::nullopt;
  return std::vector<char>(data.begin(), data.end());
}

}  // namespace

std::string pipelineCachePath(const std::string& base, const DeviceProfile& profile) {
  if (base.empty()) return base;
  const Header identity = headerFor(profile, {});
  const char* bytes = reinterpret_cast<const char*>(&identity);
  return fmt::format("{}-{:016x}", base, checksumOf({bytes, sizeof(identity)}));
}

Result<VkPipelineCache> loadPipelineCache(VkDevice device, const DeviceProfile& profile,
                                          const std::string& path) {
  std::optional<std::vector<char>> data;
  if (!path.empty()) data = readCache(profile, path);
  VkPipelineCacheCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
  VkPipelineCache cache = VK_NULL_HANDLE;
  if (data) {
    info.initialDataSize = data->size();
    info.pInitialData = data->data();
    if (vkCreatePipelineCache(device, &info, nullptr, &cache) == VK_SUCCESS) return cache;
    logWarning(fmt::format("{}: the driver refused the pipeline cache, starting with an empty one", path));
    info.initialDataSize = 0;
  }
  TRY(check(vkCreatePipelineCache(device, &info, nullptr, &cache), "creating the pipeline cache"));
  return cache;
}

Result<void> storePipelineCache(VkDevice device, VkPipelineCache cache, const DeviceProfile& profile,
                                const std::string& path) {
  std::size_t size = 0;
  TRY(check(vkGetPipelineCacheData(device, cache, &size, nullptr), "reading the pipeline cache"));
  std::vector<char> data(size);
  TRY(check(vkGetPipelineCacheData(device, cache, &size, data.data()), "reading the pipeline cache"));
  data.resize(size);
  const Header header = headerFor(profile, data);

  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  std::error_code error;
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty())
    std::filesystem::create_directories(folder, error);
  if (!error) {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(&header), sizeof(header));
    file.write(data.data(), static_cast<std::streamsize>(data.size()));
    file.close();
    if (!file) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) std::filesystem::rename(temporary, path, error);
  if (!error) return {};
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  return fail(ErrorCode::kIo, "{}: writing the pipeline cache failed: {}", path, error.message());
}

}  // namespace vitrine::gpu
