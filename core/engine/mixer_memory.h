// What each kind of mixer and channel mixer takes of a session's memory beyond the buffers that all share:
// its recurrent state, and scratch for a batch. A kind that needs neither has no overload of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/model_spec.h"

namespace vitrine::core {

struct MixerMemory {
  std::uint64_t state = 0;             // floats, for each place in the model
  std::vector<std::uint64_t> scratch;  // floats a token of each buffer; the places share them
};

template <typename Kind>
MixerMemory memoryOf(const Kind&) {
  return {};
}

inline MixerMemory memoryOf(const MixerSpec& mixer) {
  return std::visit([](const auto& kind) { return memoryOf(kind); }, mixer);
}
inline MixerMemory memoryOf(const ChannelMixerSpec& channel) {
  return std::visit([](const auto& kind) { return memoryOf(kind); }, channel);
}

// Whether anything keeps a state that cannot be cut back to an earlier position.
bool isRecurrent(const ModelSpec& spec);

}  // namespace vitrine::core
