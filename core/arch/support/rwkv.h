// What readers of RWKV's versions share. The files of its author have no config.json: sizes are the tensors'.
#pragma once

#include <optional>
#include <string>

#include "core/arch/architecture.h"

namespace vitrine::core::arch {

inline constexpr float kRwkvEpsilon = 1e-5f;

// The number of rows, or of columns, of a stored matrix: 1 to most.
Result<std::uint32_t> storedRows(const Weights& weights, const std::string& name, std::uint32_t most);
Result<std::uint32_t> storedColumns(const Weights& weights, const std::string& name, std::uint32_t most);
// How many blocks.N. there are.
Result<std::uint32_t> storedBlocks(const Weights& weights, const std::string& last_part);
// (length), whatever ones its shape begins with.
Result<WeightRef> readVector(Weights& weights, const std::string& name, std::uint64_t length);
Result<Norm> readLayerNorm(Weights& weights, const std::string& name, std::uint64_t length, float epsilon);

struct RwkvEnds {
  std::string embedding, embedding_norm, final_norm, head;
};
// Embedding with its norm, final norm and head of a model of `vocabulary` tokens.
Result<void> readRwkvEnds(Weights& weights, const RwkvEnds& names, std::uint32_t vocabulary,
                          std::uint32_t width, float epsilon, bool tied, ModelSpec& spec);

}  // namespace vitrine::core::arch
