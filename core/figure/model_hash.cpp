#include "core/figure/model_hash.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "core/figure/sha256.h"

namespace vitrine::core {
namespace {

std::vector<std::filesystem::path> weightFiles(const std::filesystem::path& path) {
  std::error_code failed;
  if (std::filesystem::is_regular_file(path, failed)) return {path};
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator entry(path, failed), end; !failed && entry != end;
       entry.increment(failed))
    if (entry->path().extension() == ".safetensors") files.push_back(entry->path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::string modelHash(const std::filesystem::path& path, std::uintmax_t most_bytes) {
  const auto files = weightFiles(path);
  std::uintmax_t bytes = 0;
  for (const auto& file : files) {
    std::error_code failed;
    const std::uintmax_t size = std::filesystem::file_size(file, failed);
    if (failed || (bytes += size) > most_bytes) return {};
  }
  std::string lines, last;
  for (const auto& file : files) {
    auto hash = sha256OfFile(file);
    if (!hash) return {};
    last = std::move(*hash);
    lines += last + "  " + file.filename().string() + '\n';
  }
  return files.size() > 1 ? sha256Of(lines) : last;
}

}  // namespace vitrine::core
