#include "core/spectra/layer_name.h"

#include <algorithm>
#include <charconv>

namespace vitrine::core {

std::optional<LayerName> layerNameOf(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    std::uint32_t layer = 0;
    const auto [stop, status] = std::from_chars(name.data() + begin, name.data() + end, layer);
    if (status == std::errc() && stop == name.data() + end)
      return LayerName{layer, std::string(name.substr(0, begin)) + "*" + std::string(name.substr(end))};
    begin = end + 1;
  }
  return std::nullopt;
}

std::vector<std::string> shortLabels(const std::vector<std::string>& kinds) {
  std::vector<std::string> whole, last;
  for (std::string label : kinds) {
    if (label.ends_with(".weight")) label.resize(label.size() - std::string_view(".weight").size());
    if (const std::size_t layer = label.find("*."); layer != std::string::npos) label.erase(0, layer + 2);
    last.push_back(label.substr(label.rfind('.') + 1));
    whole.push_back(std::move(label));
  }
  std::vector<std::string> sorted = last;
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) == sorted.end() ? last : whole;
}

}  // namespace vitrine::core
