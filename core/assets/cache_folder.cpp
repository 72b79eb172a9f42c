#include "core/assets/cache_folder.h"

#include <cstdlib>

namespace vitrine::core {

std::filesystem::path cacheFolder() {
  const char* base = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (base && *base)
    folder = std::filesystem::path(base) / "vitrine";
  else if (home && *home)
    folder = std::filesystem::path(home) / ".cache" / "vitrine";
  std::error_code ignored;
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  return folder;
}

}  // namespace vitrine::core
