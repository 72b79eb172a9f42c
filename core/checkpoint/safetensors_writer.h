// Writes safetensors files that any NumPy or PyTorch script reads. The file appears whole or not at all: it
// is written beside its place and renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/dtype.h"
#include "gpu/error.h"

namespace vitrine::core {

// A tensor to write; `bytes` are borrowed, row-major, little endian, and belong to a plain (not quantized)
// type.
struct SafetensorsItem {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> bytes;
};

SafetensorsItem safetensorsItem(std::string name, std::vector<std::uint64_t> shape,
                                std::span<const float> values);
SafetensorsItem safetensorsItem(std::string name, std::vector<std::uint64_t> shape,
                                std::span<const std::int32_t> values);

// Errors: kInvalidArgument for a name that comes twice or a shape that does not fit its bytes, kIo.
Result<void> writeSafetensors(const std::filesystem::path& path, std::span<const SafetensorsItem> items,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace vitrine::core
