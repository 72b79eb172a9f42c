// A checkpoint of random finite float32 weights, as config.json and safetensors: for tests of what readers
// and the engine make of shapes and hyper-parameters.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_spec.h"
#include "support/scratch_folder.h"

namespace vitrine::test {

using NamedShapes = std::vector<std::pair<std::string, std::vector<std::uint64_t>>>;

// Matrices are normal with a deviation of `spread`, vectors lie around 1.
void writeRandomCheckpoint(const std::filesystem::path& folder, const nlohmann::json& config,
                           const NamedShapes& tensors, float spread, std::uint64_t seed);

// The files are gone afterwards; the mapping that the spec holds stays.
Result<core::ModelSpec> randomSpec(const nlohmann::json& config, const NamedShapes& tensors,
                                   float spread = 0.25f, std::uint64_t seed = 1);

}  // namespace vitrine::test
