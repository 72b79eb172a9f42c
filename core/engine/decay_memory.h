// Which of a block's mixers shows its state, and what a session with probes keeps of its decays.
#pragma once

#include <numeric>
#include <optional>
#include <span>

#include "core/engine/mixer_memory.h"
#include "core/engine/session.h"

namespace vitrine::core {

inline std::uint64_t floatsOf(std::span<const std::uint64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

// Of a shown state: matrices (heads, a, b) are one a head, others one whole.
inline std::uint64_t stateHeads(std::span<const std::uint64_t> shown) {
  constexpr std::size_t kMatrices = 3;  // dimensions
  return shown.size() == kMatrices ? shown.front() : 1;
}

// The first that carries a state.
inline std::optional<std::size_t> shownMixer(const BlockSpec& block) {
  for (std::size_t i = 0; i < block.mixers.size(); ++i)
    if (!memoryOf(block.mixers[i]).shown.empty()) return i;
  return std::nullopt;
}

// Of that mixer, a step; empty where it has no decay.
inline std::vector<std::uint64_t> decaysOf(const BlockSpec& block) {
  const auto shown = shownMixer(block);
  return shown ? memoryOf(block.mixers[*shown]).decays : std::vector<std::uint64_t>();
}

// Shape of what is kept of them a step: all, or a mean for each head; empty where nothing is.
inline std::vector<std::uint64_t> keptDecays(const BlockSpec& block, const SessionOptions& options) {
  if (!options.probes) return {};
  std::vector<std::uint64_t> decays = decaysOf(block);
  if (decays.empty() || options.whole_decays) return decays;
  return {stateHeads(memoryOf(block.mixers[*shownMixer(block)]).shown)};
}

}  // namespace vitrine::core
