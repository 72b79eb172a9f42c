// Reads reference values: tensors of a golden.safetensors.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/tensor/dequantize.h"

namespace vitrine::test {

// Empty when there is no such tensor.
inline std::vector<float> goldenFloats(const core::Checkpoint& golden, const std::string& name) {
  const core::TensorEntry* tensor = golden.find(name);
  if (!tensor) return {};
  std::vector<float> values(tensor->elements());
  const auto done = core::dequantize(tensor->dtype, tensor->bytes, values);
  EXPECT_TRUE(done) << name << ": " << done.error().message;
  return values;
}

inline std::vector<std::int32_t> goldenIds(const core::Checkpoint& golden) {
  const auto tensor = golden.require("input_ids");
  if (!tensor) {
    ADD_FAILURE() << tensor.error().message;
    return {};
  }
  const std::size_t width =
      info((*tensor)->dtype).block_bytes;  // I32 or I64: the low bytes come first in both
  std::vector<std::int32_t> ids((*tensor)->elements());
  for (std::size_t i = 0; i < ids.size(); ++i)
    std::memcpy(&ids[i], (*tensor)->bytes.data() + i * width, sizeof ids[i]);
  return ids;
}

// A file of nothing but float32 numbers.
inline std::vector<float> floatsOfFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<float> values(std::filesystem::file_size(path) / sizeof(float));
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  EXPECT_TRUE(file) << path;
  return values;
}

// transformers' Mamba and RWKV-4 count hidden states from the first block's output, and keep the last block's
// as well as the final norm's.
inline bool countsFromFirstBlock(std::string_view zoo) {
  return zoo == "mamba" || zoo == "falcon-mamba" || zoo == "mamba2" || zoo == "rwkv4";
}

// MiniMax's lightning attention returns its state (heads, keys, values), which transformers counts as
// attention.
inline bool statesCountAsAttention(std::string_view zoo) {
  return zoo == "minimax";
}

// Where the golden file of a zoo model keeps hidden state `i` of layers + 1: the embedding's output first,
// the final norm's last. Empty where it does not.
inline std::string goldenHidden(std::string_view zoo, std::size_t i, std::size_t layers) {
  if (!countsFromFirstBlock(zoo) || i == layers) return "hidden." + std::to_string(i);
  return i == 0 ? "" : "hidden." + std::to_string(i - 1);
}

}  // namespace vitrine::test
