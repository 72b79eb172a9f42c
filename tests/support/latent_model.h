// A random DeepSeek of any size, with dense MLPs or with experts from the second layer on, read from
// config.json and safetensors as any other checkpoint: for tests of latent attention and of what its reader
// makes of hyper-parameters.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "support/random_checkpoint.h"

namespace vitrine::test {

struct LatentSizes {
  std::uint64_t layers = 2, width = 48, mlp = 40, vocabulary = 61;
  std::uint64_t heads = 5, rank = 24, query_rank = 20;  // query_rank 0: queries come from x itself
  std::uint64_t plain = 16, rotary = 12, value = 14;
  bool bias = false;
  std::uint64_t experts = 0, expert_width = 12, sparse_step = 1;  // every so many layers are mixtures
  bool correction = true;                                         // of V3's router
  float spread = 0.2f;                                            // of the weights
};

nlohmann::json latentConfig(const LatentSizes& s, const char* model_type = "deepseek_v3");

NamedShapes latentTensors(const LatentSizes& s);

Result<core::ModelSpec> latentModel(const LatentSizes& sizes,
                                    const nlohmann::json& changes = nlohmann::json::object(),
                                    const char* model_type = "deepseek_v3");

}  // namespace vitrine::test
