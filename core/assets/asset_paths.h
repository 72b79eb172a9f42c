// Where the files that ship with Vitrine are: demonstration models, prompts.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace vitrine::core {

// "models/demo-dense", "prompts/emma.txt" -> its path; nothing when it is not installed. Looked for in
// $VITRINE_ASSETS, then beside the executable (assets/, ../share/vitrine/assets/), then in assets/ of the
// folders above it, which is where a build in the source tree finds them.
std::optional<std::filesystem::path> findAsset(std::string_view relative);

// A model as people name it: a path, or else the name of a demonstration model ("demo-moe"). What is neither
// stays as it is.
std::filesystem::path modelPath(const std::filesystem::path& named);

}  // namespace vitrine::core
