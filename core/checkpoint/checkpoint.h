// A model file opened but not loaded: metadata and a directory of memory-mapped tensors.
// GGUF v2/v3 (also split files), safetensors (one file, or a folder with config.json and its index).
// Every offset, size and count is checked against the file before anything points into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/dtype.h"
#include "gpu/error.h"

namespace vitrine::core {

class MappedFile;

enum class CheckpointFormat { kGguf, kSafetensors };

// Of block-scaled FP8 (DeepSeek-V3, arXiv:2412.19437): element (r, c) of a matrix is multiplied by the scale
// of its block, number r / block_rows * columns + c / block_columns.
struct BlockScales {
  std::span<const std::byte> bytes;
  DType dtype = DType::kF32;
  std::uint64_t columns = 0;  // of the scales
  std::uint64_t block_rows = 0, block_columns = 0;

  float at(std::uint64_t row, std::uint64_t column) const;
};

// A tensor as the file stores it. Shapes are row-major, outermost first, as PyTorch prints them
// (a GGUF's reversed ne order is turned round on opening): a linear layer's weight is (out_features,
// in_features).
struct TensorEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> bytes;  // into the mapping, which lives as long as the Checkpoint
  std::optional<BlockScales> scales = {};

  // What the elements are once they are scaled: F32 where there are scales, else `dtype`.
  DType valueType() const { return scales ? DType::kF32 : dtype; }
  std::uint64_t elements() const;
};

// Numbers in memory that take a stored tensor's place: as many as it has elements, in its order.
struct ReplacedTensor {
  std::string name;
  std::shared_ptr<const std::vector<float>> values;
};

class Checkpoint {
 public:
  // `path`: a .gguf file, a .safetensors file, or a folder. Nothing is read but headers.
  static Result<std::shared_ptr<const Checkpoint>> open(const std::filesystem::path& path);
  // `base` with some tensors as float32 in memory; everything else is what the files hold. kNotFound for a
  // name that it lacks, kInvalidArgument for another number of elements.
  static Result<std::shared_ptr<const Checkpoint>> withTensors(const Checkpoint& base,
                                                               std::span<const ReplacedTensor> replaced);

  CheckpointFormat format() const { return format_; }
  const std::filesystem::path& path() const { return path_; }
  std::string displayName() const;  // general.name, or the folder's or file's name

  // GGUF: all key-values, arrays as JSON arrays (long token lists included). Safetensors: config.json
  // under its own keys, or an empty object when the file stands alone; the file's own __metadata__ under that
  // key. All strings are valid UTF-8.
  const nlohmann::json& metadata() const { return *metadata_; }

  const std::vector<TensorEntry>& tensors() const { return tensors_; }  // sorted by name
  const TensorEntry* find(std::string_view name) const;                 // null when absent
  Result<const TensorEntry*> require(std::string_view name) const;

  // A text file beside a safetensors checkpoint (tokenizer.json, generation_config.json ..); kNotFound if
  // absent.
  Result<std::string> readSidecar(std::string_view file_name) const;

  std::uint64_t parameters() const;  // number of elements of all floating and quantized tensors
  std::uint64_t bytes() const;

 private:
  Checkpoint() = default;
  CheckpointFormat format_ = CheckpointFormat::kGguf;
  std::filesystem::path path_;
  std::shared_ptr<const nlohmann::json> metadata_;  // behind a pointer: json.hpp is costly to include
  std::vector<TensorEntry> tensors_;
  // What the tensors' bytes point into.
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<std::shared_ptr<const std::vector<float>>> replaced_;
};

}  // namespace vitrine::core
