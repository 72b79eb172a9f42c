#include "core/text/json_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

tl::unexpected<Error> mistyped(std::string_view key, std::string_view expected, const Json* found) {
  return fail(ErrorCode::kInvalidFile, "the tokenizer's '{}' must be {}, not {}", key, expected,
              found ? describeType(*found) : "absent");
}

}  // namespace

std::string_view describeType(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    default:
      return "a number";
  }
}

const Json* findField(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<const Json*> requireArray(const Json& object, std::string_view key) {
  const Json* field = findField(object, key);
  if (field == nullptr || !field->is_array()) return mistyped(key, "an array", field);
  return field;
}

Result<const Json*> requireObject(const Json& object, std::string_view key) {
  const Json* field = findField(object, key);
  if (field == nullptr || !field->is_object()) return mistyped(key, "an object", field);
  return field;
}

Result<std::string> requireString(const Json& object, std::string_view key) {
  const Json* field = findField(object, key);
  if (field == nullptr || !field->is_string()) return mistyped(key, "a string", field);
  return field->get_ref<const std::string&>();
}

Result<bool> boolOr(const Json& object, std::string_view key, bool otherwise) {
  const Json* field = findField(object, key);
  if (field == nullptr) return otherwise;
  if (!field->is_boolean()) return mistyped(key, "a boolean", field);
  return field->get<bool>();
}

Result<std::string> stringOr(const Json& object, std::string_view key, std::string otherwise) {
  if (findField(object, key) == nullptr) return otherwise;
  return requireString(object, key);
}

Result<std::int32_t> toTokenId(const Json& value, std::size_t size, std::string_view what) {
  if (!value.is_number_integer()) {
    return fail(ErrorCode::kInvalidFile, "{} must be a token id, not {}", what, describeType(value));
  }
  const bool fits =
      value.is_number_unsigned()
          ? value.get<std::uint64_t>() < size
          : value.get<std::int64_t>() >= 0 && static_cast<std::uint64_t>(value.get<std::int64_t>()) < size;
  if (!fits) {
    return fail(ErrorCode::kInvalidFile, "{} is {}, but the vocabulary has {} tokens", what, value.dump(),
                size);
  }
  return value.get<std::int32_t>();
}

}  // namespace vitrine::core
