// One GGUF file, versions 2 and 3, little endian. Format: docs/gguf.md of ggml-org/ggml.
//   magic "GGUF", version u32, tensor count u64, key-value count u64, key-values, tensor infos,
//   padding to general.alignment, tensor data; offsets count from the start of the data.
// Nothing is believed: counts, lengths, types, nesting, alignment and offsets are held against the bytes
// there are.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "gpu/error.h"

namespace vitrine::core {

struct GgufFile {
  nlohmann::json metadata = nlohmann::json::object();
  std::vector<TensorEntry> tensors;  // sorted by name; their bytes point into what was parsed
};

// `bytes` begin with the magic number. Errors: kInvalidFile, kUnsupported.
Result<GgufFile> parseGguf(std::span<const std::byte> bytes);

}  // namespace vitrine::core
