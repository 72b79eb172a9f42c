#include "core/assets/asset_paths.h"

#include <cstdlib>
#include <system_error>
#include <vector>

namespace vitrine::core {
namespace {

namespace fs = std::filesystem;

constexpr int kFoldersAbove = 4;

fs::path executableFolder() {
  std::error_code failed;
  const fs::path executable = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path() : executable.parent_path();
}

std::vector<fs::path> assetFolders() {
  std::vector<fs::path> folders;
  if (const char* chosen = std::getenv("VITRINE_ASSETS"); chosen && *chosen) folders.emplace_back(chosen);
  fs::path folder = executableFolder();
  if (folder.empty()) return folders;
  folders.push_back(folder / "assets");
  folders.push_back(folder.parent_path() / "share" / "vitrine" / "assets");
  for (int i = 0; i < kFoldersAbove && folder.has_relative_path(); ++i) {
    folder = folder.parent_path();
    folders.push_back(folder / "assets");
  }
  return folders;
}

}  // namespace

std::optional<fs::path> findAsset(std::string_view relative) {
  for (const fs::path& folder : assetFolders()) {
    std::error_code failed;
    fs::path path = folder / relative;
    if (fs::exists(path, failed) && !failed) return path;
  }
  return std::nullopt;
}

fs::path modelPath(const fs::path& named) {
  std::error_code failed;
  if (named.empty() || named.has_parent_path() || fs::exists(named, failed)) return named;
  return findAsset("models/" + named.string()).value_or(named);
}

}  // namespace vitrine::core
