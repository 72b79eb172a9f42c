// Typed access to the fields of a tokenizer file: a missing or mistyped field is an error that names it,
// never an exception.
#pragma once

#include "gpu/error.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::core {

using Json = nlohmann::json;

// The field, or null where it is absent or JSON's null. `object` may be anything.
const Json* findField(const Json& object, std::string_view key);
Result<const Json*> requireArray(const Json& object, std::string_view key);
Result<const Json*> requireObject(const Json& object, std::string_view key);
Result<std::string> requireString(const Json& object, std::string_view key);

// With a default for an absent field; a field of another type is an error all the same.
Result<bool> boolOr(const Json& object, std::string_view key, bool otherwise);
Result<std::string> stringOr(const Json& object, std::string_view key, std::string otherwise);

// "type" for messages: "a string", "an array" ..
std::string_view describeType(const Json& value);

// A token id: an integer from 0 to `size` - 1. `what` names it in the error.
Result<std::int32_t> toTokenId(const Json& value, std::size_t size, std::string_view what);

}  // namespace vitrine::core
