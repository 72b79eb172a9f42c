// RWKV's channel mixing (arXiv:2305.13048, 2503.14456): y = sigmoid(W_r x_r) * W_v relu(W_k x_k)^2, where x_k
// and x_r are blends of this token's input and the one before it. RWKV-7 has no receptance.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/model/weight_ref.h"

namespace vitrine::core {

struct RwkvChannelSpec {
  static constexpr std::string_view kName = "rwkv";
  std::uint32_t width = 0, inner = 0;
  std::vector<WeightRef> mixes;      // (width): of key, and of receptance where there is one
  bool mixes_past = false;           // a mix is the part of the token before, not of this one (RWKV-7)
  Linear key, value;                 // (inner, width), (width, inner)
  std::optional<Linear> receptance;  // (width, width)
};

}  // namespace vitrine::core
