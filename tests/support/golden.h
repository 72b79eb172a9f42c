// Reads reference values: tensors of a golden.safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint.h"

namespace vitrine::test {

// Empty when there is no such tensor.
std::vector<float> goldenFloats(const core::Checkpoint& golden, const std::string& name);

std::vector<std::int32_t> goldenIds(const core::Checkpoint& golden);

// A file of nothing but float32 numbers.
std::vector<float> floatsOfFile(const std::filesystem::path& path);

// transformers' Mamba and RWKV-4 count hidden states from the first block's output, and keep the last block's
// as well as the final norm's.
bool countsFromFirstBlock(std::string_view zoo);

// MiniMax's lightning attention returns its state (heads, keys, values), which transformers counts as
// attention.
bool statesCountAsAttention(std::string_view zoo);

// Where the golden file of a zoo model keeps hidden state `i` of layers + 1: the embedding's output first,
// the final norm's last. Empty where it does not.
std::string goldenHidden(std::string_view zoo, std::size_t i, std::size_t layers);

}  // namespace vitrine::test
