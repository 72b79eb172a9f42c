#include "support/golden.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "core/tensor/dequantize.h"

namespace vitrine::test {

std::vector<float> goldenFloats(const core::Checkpoint& golden, const std::string& name) {
  const core::TensorEntry* tensor = golden.find(name);
  if (!tensor) return {};
  std::vector<float> values(tensor->elements());
  const auto done = core::dequantize(tensor->dtype, tensor->bytes, values);
  EXPECT_TRUE(done) << name << ": " << done.error().message;
  return values;
}

std::vector<std::int32_t> goldenIds(const core::Checkpoint& golden) {
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

std::vector<float> floatsOfFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<float> values(std::filesystem::file_size(path) / sizeof(float));
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  EXPECT_TRUE(file) << path;
  return values;
}

bool countsFromFirstBlock(std::string_view zoo) {
  return zoo == "mamba" || zoo == "falcon-mamba" || zoo == "mamba2" || zoo == "rwkv4";
}

bool statesCountAsAttention(std::string_view zoo) {
  return zoo == "minimax";
}

std::string goldenHidden(std::string_view zoo, std::size_t i, std::size_t layers) {
  if (!countsFromFirstBlock(zoo) || i == layers) return "hidden." + std::to_string(i);
  return i == 0 ? "" : "hidden." + std::to_string(i - 1);
}

}  // namespace vitrine::test
