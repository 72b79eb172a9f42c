// JSON from files that nobody vouches for: bounded size and nesting, no duplicate keys, no exceptions.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "gpu/error.h"

namespace vitrine::core {

struct JsonLimits {
  std::size_t bytes = 100 << 20;  // as the safetensors library limits a header
  std::size_t depth = 64;
};

// `what` names the text in errors ("config.json"). The result is an object.
Result<nlohmann::json> parseJsonObject(std::string_view text, std::string_view what, JsonLimits limits = {});

// Python writes NaN, Infinity and -Infinity, which JSON has not: here they become texts ("Infinity"), at most
// two bytes longer each.
std::string quoteSpecialNumbers(std::string_view text);

// A value of the file as a message shows it: on one line, valid UTF-8, cut where it is long.
std::string excerpt(const nlohmann::json& value);

}  // namespace vitrine::core
