// What each kind of mixer and channel mixer takes of a session's memory beyond the buffers that all share:
// its recurrent state, and scratch for a batch. A kind that needs neither has no overload of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/model_spec.h"

namespace vitrine::core {

struct MixerMemory {
  std::uint64_t state = 0;                  // floats, for each place in the model
  std::vector<std::uint64_t> scratch = {};  // floats a token of each buffer; the places share them
  std::vector<std::uint64_t> shown = {};    // shape of what a trace shows: the state's first floats; or empty
};

template <typename Kind>
MixerMemory memoryOf(const Kind&) {
  return {};
}

inline std::uint64_t memoryOf(const CausalConv& conv) {
  return std::uint64_t{conv.channels} * (conv.kernel - 1);
}
inline MixerMemory memoryOf(const MambaSpec& mamba) {
  const std::uint64_t inner = mamba.inner, state = mamba.state;
  return {.state = inner * state + memoryOf(mamba.conv),
          .scratch = {2 * inner, mamba.rank + 2 * state, inner},
          .shown = {inner, state}};
}
inline MixerMemory memoryOf(const Mamba2Spec& mamba) {
  const std::uint64_t inner = mamba.inner(), state = mamba.state;
  return {.state = inner * state + memoryOf(mamba.conv),
          .scratch = {mamba.width()},
          .shown = {mamba.heads, mamba.head_dim, state}};
}
inline MixerMemory memoryOf(const ShortConvSpec& conv) {
  return {.state = memoryOf(conv.conv),
          .scratch = {3 * std::uint64_t{conv.conv.channels}},
          .shown = {conv.conv.kernel - 1, conv.conv.channels}};
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
