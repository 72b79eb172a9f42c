#include "core/adapter/adapter_choice.h"

#include <charconv>
#include <cmath>

#include "core/assets/asset_paths.h"

namespace vitrine::core {

Result<AdapterChoice> parseAdapterChoice(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const bool in_folder_name = colon != std::string::npos &&
                              (text.find('/', colon) != std::string::npos || std::filesystem::exists(text));
  if (colon == std::string::npos || in_folder_name) return AdapterChoice{.folder = modelPath(text)};
  AdapterChoice choice{.folder = modelPath(text.substr(0, colon))};
  const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, choice.scale);
  if (error == std::errc() && stop == end && std::isfinite(choice.scale)) return choice;
  return fail(ErrorCode::kInvalidArgument,
              "--adapter {}: expected FOLDER or FOLDER:SCALE with a number behind the colon", text);
}

}  // namespace vitrine::core
