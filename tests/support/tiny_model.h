// A tiny random Llama (one layer, width 32, vocabulary 24) as a GGUF file with many tensor types, and as
// config.json with safetensors: small enough to be broken thousands of times.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/gguf_builder.h"

namespace vitrine::test {

struct TinySizes {
  static constexpr std::uint64_t kVocabulary = 24, kWidth = 32, kHeads = 4, kKvHeads = 2, kHeadDim = 8,
                                 kMlp = 256;
};

// Small finite float32 values.
Bytes randomFloats(std::mt19937_64& random, std::size_t count);

GgufBuilder tinyGgufKeys();

// `down` is the type of the tensor whose rows are long enough for super-blocks of 256.
Bytes tinyGguf(core::DType down, std::uint64_t seed = 1);

nlohmann::json tinyConfig();

// Names and shapes of the tensors that go with tinyConfig().
std::vector<std::pair<std::string, std::vector<std::uint64_t>>> tinyTensors();

// Writes the named tensors of tinyTensors() (all of them without `wanted`) with random F16 values, norms F32.
void writeTinySafetensors(const std::filesystem::path& path,
                          const std::function<bool(const std::string& name)>& wanted = {},
                          std::uint64_t seed = 1);

}  // namespace vitrine::test
