// What a reader of one format hands to Checkpoint, and what all readers share.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/mapped_file.h"
#include "gpu/error.h"

namespace vitrine::core {

struct CheckpointParts {
  CheckpointFormat format = CheckpointFormat::kGguf;
  nlohmann::json metadata = nlohmann::json::object();
  std::vector<TensorEntry> tensors;
  std::vector<std::shared_ptr<const MappedFile>> files;
};

// One GGUF file, or all files of a split one.
Result<CheckpointParts> openGguf(std::shared_ptr<const MappedFile> file);
// One safetensors file with the config.json beside it, if there is one.
Result<CheckpointParts> openSafetensors(std::shared_ptr<const MappedFile> file);
// A sharded safetensors model: its index, the shards that the index names, config.json.
Result<CheckpointParts> openShardedSafetensors(const std::filesystem::path& index);

// Gives each FP8 matrix "X" its scales "X_scale_inv"; config.json says how large the blocks are. kInvalidFile
// when the shapes disagree, kUnsupported names FP8 with scales of another kind.
Result<void> attachBlockScales(CheckpointParts& parts);

// Number of bytes that a tensor of this shape takes. Errors: the product overflows, or the row of a quantized
// type is not whole blocks.
Result<std::uint64_t> tensorBytes(DType type, const std::vector<std::uint64_t>& shape);

// Names come from the file and go into messages, one line each: valid UTF-8, 1 to 1,024 bytes, no control
// characters.
Result<void> checkName(std::string_view name);
// Any text of the file as valid UTF-8; what is not becomes U+FFFD.
std::string validUtf8(std::string_view text);

// Sorts by name; a name that comes twice is an error.
Result<void> sortByName(std::vector<TensorEntry>& tensors);

}  // namespace vitrine::core
