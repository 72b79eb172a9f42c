// Where Vitrine may keep what it can make again: compiled pipelines.
#pragma once

#include <filesystem>

namespace vitrine::core {

// $XDG_CACHE_HOME/vitrine or ~/.cache/vitrine, made if it does not exist; empty when there is no home.
std::filesystem::path cacheFolder();

}  // namespace vitrine::core
