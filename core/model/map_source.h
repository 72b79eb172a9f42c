// What a block's map of token to token is computed from. An attention has one by itself. A recurrent mixer
// whose state decays by one number a head and step implies one (core/reference/implied_map.h has the
// formula): Mamba-2, lightning attention, mLSTM. The other mixers have no single weight between two tokens.
#pragma once

#include <optional>
#include <string>

#include "core/model/model_spec.h"

namespace vitrine::core {

struct MapSource {
  std::uint32_t heads = 0;        // maps
  std::uint32_t kv_heads = 0;     // kept keys a token, each shared by heads / kv_heads heads
  std::uint32_t query_heads = 0;  // kept queries a token: of each head, or, implied, shared as keys are
  std::uint32_t head_dim = 0;     // of a kept row, a multiple of 4 where implied
  std::uint32_t width = 0;        // of it the numbers that are multiplied; zeros follow
  std::uint32_t window = 0;       // keys that a query sees; 0: all
  float scale = 1, soft_cap = 0;  // of q . k
  bool implied = false;

  std::uint32_t group() const { return heads / kv_heads; }
};

// The attention's, or, in a block without one, that of its only mixer that implies a map.
std::optional<MapSource> mapSource(const BlockSpec& block);

// Why a block has no map, as a sentence; empty for one that has.
std::string whyNoMap(const BlockSpec& block);

}  // namespace vitrine::core
