#include "ui/views/spectra/matrix_place.h"

#include <algorithm>
#include <charconv>

namespace vitrine::ui::spectra {
namespace {

constexpr std::string_view kWeight = ".weight";

bool isNumber(std::string_view part) {
  return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint32_t> numberOf(std::string_view part) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
  return isNumber(part) && error == std::errc() ? std::optional(value) : std::nullopt;
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
  const std::string text = shortName(name);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    if (isNumber(std::string_view(text).substr(at, end - at)) && end < text.size())
      return at > kLongestPrefix ? text.substr(at) : text;
    at = end + 1;
  }
  return text;
}

MatrixPlace placeOf(std::string_view name) {
  const std::string text = shortName(name);
  MatrixPlace place;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string_view part = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (!place.layer) {
      place.layer = numberOf(part);
      continue;
    }
    place.kind += (place.kind.empty() ? "" : ".") + withoutNumbers(part);
  }
  if (!place.layer || place.kind.empty()) return {std::nullopt, text};
  return place;
}

}  // namespace vitrine::ui::spectra
