#include "core/model/map_source.h"

#include <cmath>

namespace vitrine::core {
namespace {

MapSource decaySource(std::uint32_t heads, std::uint32_t groups, std::uint32_t width, double scale) {
  return {.heads = heads,
          .kv_heads = groups,
          .query_heads = groups,
          .head_dim = (width + 3) / 4 * 4,
          .width = width,
          .scale = static_cast<float>(scale),
          .implied = true};
}

template <typename Kind>
std::optional<MapSource> sourceOf(const Kind&) {
  return std::nullopt;
}
std::optional<MapSource> sourceOf(const Mamba2Spec& mamba) {
  return decaySource(mamba.heads, mamba.groups, mamba.state, 1);
}
std::optional<MapSource> sourceOf(const LightningSpec& lightning) {
  return decaySource(lightning.heads, lightning.heads, lightning.head_dim, 1);
}
std::optional<MapSource> sourceOf(const MlstmSpec& mlstm) {
  return decaySource(mlstm.heads, mlstm.heads, mlstm.key_dim,
                     1 / std::sqrt(static_cast<double>(mlstm.key_dim)));
}

// What follows "no single weight between two tokens: ".
template <typename Kind>
std::string_view whyNot(const Kind&) {
  return "";
}
std::string_view whyNot(const MambaSpec&) {
  return "each channel and each number of Mamba's state decays by itself";
}
std::string_view whyNot(const ShortConvSpec&) {
  return "a short convolution weights each channel by itself";
}
std::string_view whyNot(const Rwkv4Spec&) {
  return "each channel of RWKV-4's state decays by itself";
}
std::string_view whyNot(const Rwkv7Spec&) {
  return "each key of RWKV-7's state decays by itself, and later tokens erase what earlier ones wrote";
}
std::string_view whyNot(const RgLruSpec&) {
  return "each channel of the recurrent unit decays by itself";
}
std::string_view whyNot(const DeltaNetSpec&) {
  return "in a delta rule later tokens erase what earlier ones wrote";
}

}  // namespace

std::optional<MapSource> mapSource(const BlockSpec& block) {
  if (const AttentionSpec* attention = block.attention())
    return MapSource{.heads = attention->heads,
                     .kv_heads = attention->kv_heads,
                     .query_heads = attention->heads,
                     .head_dim = attention->head_dim,
                     .width = attention->head_dim,
                     .window = attention->sliding_window,
                     .scale = attention->scale,
                     .soft_cap = attention->soft_cap};
  std::optional<MapSource> found;
  for (const MixerSpec& mixer : block.mixers) {
    const auto source = std::visit([](const auto& kind) { return sourceOf(kind); }, mixer);
    if (!source) continue;
    if (found) return std::nullopt;
    found = source;
  }
  return found;
}

std::string whyNoMap(const BlockSpec& block) {
  if (mapSource(block)) return "";
  if (block.mixers.empty()) return "It mixes no tokens, only the channels of each.";
  std::string why;
  for (const MixerSpec& mixer : block.mixers) {
    const std::string_view reason = std::visit([](const auto& kind) { return whyNot(kind); }, mixer);
    if (reason.empty()) continue;
    why += (why.empty() ? "There is no single weight between two tokens: " : "; ") + std::string(reason);
  }
  return why.empty() ? "Several of its mixers imply one." : why + ".";
}

}  // namespace vitrine::core
