// Lines for the log, which is stderr unless the program says otherwise: what happened, in the words of an
// error. The text comes formatted, so that spdlog and the formatting of its arguments are compiled once.
#pragma once

#include <string_view>

namespace vitrine {

void logWarning(std::string_view text);
void logError(std::string_view text);

}  // namespace vitrine
