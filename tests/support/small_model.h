// A random Llama or Mistral of a few thousand finite float32 weights, read from config.json and safetensors
// as any other checkpoint: for tests of what the engine does with sequences.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "support/random_checkpoint.h"

namespace vitrine::test {

struct SmallSizes {
  std::uint64_t layers = 2, width = 48, heads = 6, kv_heads = 2, head_dim = 8, mlp = 40, vocabulary = 61;
  std::uint32_t context = 128, sliding_window = 0;  // 0: every key is seen
  float spread = 0.25f;                             // of the weights
};

nlohmann::json smallConfig(const SmallSizes& s);

NamedShapes smallTensors(const SmallSizes& s);

void writeSmallModel(const std::filesystem::path& folder, const SmallSizes& sizes, std::uint64_t seed = 1);

Result<core::ModelSpec> smallModel(const SmallSizes& sizes = {}, std::uint64_t seed = 1);

}  // namespace vitrine::test
