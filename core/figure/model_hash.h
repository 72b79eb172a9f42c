// What a sidecar calls a model's content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace vitrine::core {

// Reading weights again only for their hash must not take longer than one waits for a figure.
inline constexpr std::uintmax_t kMostHashedBytes = std::uintmax_t(4) << 30;

// Of a file its SHA-256; of a folder (Hugging Face's, or an adapter's) that of its .safetensors file, or,
// where there are several, that of the lines that `sha256sum *.safetensors` prints. Empty where there are no
// weights, more than `most_bytes` of them, or one cannot be read: a hash is never a reason not to export.
std::string modelHash(const std::filesystem::path& path, std::uintmax_t most_bytes = kMostHashedBytes);

}  // namespace vitrine::core
