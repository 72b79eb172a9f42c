// SHA-256 (FIPS 180-4) of files, for provenance.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "gpu/error.h"

namespace vitrine::core {

std::string sha256Of(std::string_view bytes);  // 64 hexadecimal digits
Result<std::string> sha256OfFile(const std::filesystem::path& path);

}  // namespace vitrine::core
