// Small models of recurrent mixers at sizes that no kernel divides evenly, and what reads them.
#pragma once

#include <nlohmann/json.hpp>

#include "core/model/model_spec.h"
#include "support/random_checkpoint.h"

namespace vitrine::core::test_models {

inline constexpr std::uint64_t kVocabulary = 61;
inline constexpr std::uint32_t kLinearWidth = 36;  // of the models of nothing but linear attention

struct Example {
  nlohmann::json config;
  test::NamedShapes tensors;
};

Example rwkv4();
Example rwkv7(bool converted);  // by rwkv.cpp, from the layout of RWKV's author
Example recurrentGemma();
Example xlstm(bool fused);
Example lightningExample();
Example deltaNetExample();

// The spec of an example with random weights: by the reader of its family, or of the mixer alone.
Result<ModelSpec> whole(const Example& model);
Result<ModelSpec> lightning(const Example& model);
Result<ModelSpec> deltaNet(const Example& model);

}  // namespace vitrine::core::test_models
