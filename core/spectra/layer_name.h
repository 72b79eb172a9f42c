// The layer in a tensor's name, and what is left of the name without it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

struct LayerName {
  std::uint32_t layer = 0;
  std::string kind;  // "model.layers.*.self_attn.q_proj.weight"
};

// The layer is the first number between dots: of "blk.3.attn_q.weight" and "qk.3.0" 3. Nothing without one.
std::optional<LayerName> layerNameOf(std::string_view name);

// Labels for kinds, as short as they stay apart: "q_proj", or "self_attn.q_proj" beside "cross.q_proj".
std::vector<std::string> shortLabels(const std::vector<std::string>& kinds);

}  // namespace vitrine::core
