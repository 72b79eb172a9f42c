#include "core/spectra/layer_name.h"

#include <algorithm>
#include <charconv>

namespace vitrine::core {
namespace {

constexpr std::uint32_t kMostLayers = 10'000;  // a larger number means something else

}  // namespace

std::optional<LayerName> layerNameOf(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    std::uint32_t layer = 0;
    const auto [stop, status] = std::from_chars(name.data() + begin, name.data() + end, layer);
    if (status == std::errc() && stop == name.data() + end && layer < kMostLayers)
      return LayerName{layer, std::string(name.substr(0, begin)) + "*" + std::string(name.substr(end))};
    begin = end + 1;
  }
  return std::nullopt;
}

namespace {

bool isNumber(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "self_attn.q_proj" of "model.layers.*.self_attn.q_proj.weight"; "ov.0" of "ov.*.0".
std::string withoutLayer(std::string label) {
  constexpr std::string_view kEnd = ".weight";
  if (label.ends_with(kEnd)) label.resize(label.size() - kEnd.size());
  const std::size_t layer = label.find("*.");
  if (layer == std::string::npos) return label;
  const std::string behind = label.substr(layer + 2);
  return isNumber(behind) ? label.substr(0, layer) + behind : behind;
}

}  // namespace

std::vector<std::string> shortLabels(const std::vector<std::string>& kinds) {
  std::vector<std::string> whole, last;
  for (const std::string& kind : kinds) {
    whole.push_back(withoutLayer(kind));
    const std::string end = whole.back().substr(whole.back().rfind('.') + 1);
    last.push_back(isNumber(end) ? whole.back() : end);
  }
  std::vector<std::string> sorted = last;
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) == sorted.end() ? last : whole;
}

}  // namespace vitrine::core
