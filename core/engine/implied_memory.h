// What a session with probes keeps of a layer whose mixer implies a map (core/model/map_source.h).
#pragma once

#include <optional>
#include <vector>

#include "core/engine/session.h"
#include "core/model/map_source.h"

namespace vitrine::core {

// Bytes of each buffer; see LayerBuffers.
struct ImpliedMemory {
  std::uint64_t keys = 0, queries = 0, terms = 0, lse = 0, summary = 0;
  std::uint64_t all() const { return keys + queries + terms + lse + summary; }
};

inline ImpliedMemory impliedMemory(const MapSource& source, std::uint64_t context, std::uint64_t q_rows) {
  constexpr std::uint64_t kFloat = sizeof(float);
  const std::uint64_t rows = source.heads * context;
  return {.keys = source.kv_heads * context * source.head_dim * kFloat,
          .queries = source.query_heads * q_rows * source.head_dim * kFloat,
          .terms = 3 * rows * kFloat,
          .lse = rows * kFloat,
          .summary = 2 * rows * kFloat};
}

// The map that a block's mixer implies, where a session looks at it.
inline std::optional<MapSource> impliedSource(const BlockSpec& block, const SessionOptions& options) {
  if (!options.probes) return std::nullopt;
  std::optional<MapSource> source = mapSource(block);
  return source && source->implied ? source : std::nullopt;
}

// Of each head of lightning attention; empty for other mixers.
inline std::vector<float> constantLogDecays(const BlockSpec& block) {
  std::vector<float> decays;
  for (const MixerSpec& mixer : block.mixers)
    if (const auto* lightning = std::get_if<LightningSpec>(&mixer))
      for (const float slope : lightning->slopes) decays.push_back(-slope);
  return decays;
}

}  // namespace vitrine::core
