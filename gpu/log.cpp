#include "gpu/log.h"

#include <spdlog/spdlog.h>

namespace vitrine {

void logWarning(std::string_view text) {
  spdlog::warn(text);
}

void logError(std::string_view text) {
  spdlog::error(text);
}

}  // namespace vitrine
