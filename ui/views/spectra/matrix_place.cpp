#include "ui/views/spectra/matrix_place.h"

#include <algorithm>

#include "core/spectra/layer_name.h"

namespace vitrine::ui::spectra {
namespace {

constexpr std::string_view kWeight = ".weight";

bool isNumber(std::string_view part) {
  return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
}

// "down_exps[3]" -> "down_exps[*]"; "7" -> "*".
std::string withoutNumbers(std::string_view part) {
  if (isNumber(part)) return "*";
  const std::size_t open = part.find('[');
  return std::string(part.substr(0, open)) + (open == std::string_view::npos ? "" : "[*]");
}

}  // namespace

std::string shortName(std::string_view name) {
  std::string text(name);
  if (const std::size_t at = text.rfind(kWeight); at != std::string::npos) {
    const std::size_t end = at + kWeight.size();
    if (at > 0 && (end == text.size() || text[end] == '[')) text.erase(at, kWeight.size());
  }
  return text;
}

std::string rowName(std::string_view name) {
  constexpr std::size_t kLongestPrefix = 4;  // "blk."
  constexpr std::string_view kOfExperts = ".mlp.experts.";
  std::string text = shortName(name);
  const auto layered = core::layerNameOf(text);
  if (!layered) return text;
  if (const std::size_t at = text.find(kOfExperts); at != std::string::npos) text.erase(at, 4);
  const std::size_t layer = layered->kind.find('*');
  return layer > kLongestPrefix && layer + 1 < layered->kind.size() ? text.substr(layer) : text;
}

MatrixPlace placeOf(const core::MatrixName& matrix) {
  if (!matrix.product) return placeOf(matrix.name);
  return {matrix.product->layer, matrix.name.starts_with("qk") ? "QK of the heads" : "OV of the heads"};
}

MatrixPlace placeOf(std::string_view name) {
  const std::string text = shortName(name);
  const auto layered = core::layerNameOf(text);
  const std::size_t layer = layered ? layered->kind.find("*.") : std::string::npos;
  if (layer == std::string::npos) return {std::nullopt, text};
  MatrixPlace place{layered->layer, {}};
  const std::string behind = layered->kind.substr(layer + 2);
  for (std::size_t at = 0; at < behind.size();) {
    const std::size_t end = std::min(behind.find('.', at), behind.size());
    place.kind +=
        (place.kind.empty() ? "" : ".") + withoutNumbers(std::string_view(behind).substr(at, end - at));
    at = end + 1;
  }
  return place;
}

}  // namespace vitrine::ui::spectra
