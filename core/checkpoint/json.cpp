#include "core/checkpoint/json.h"

#include <set>
#include <string>
#include <vector>

namespace vitrine::core {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestMessage = 200, kLongestExcerpt = 60;

// The deepest nesting, from the brackets outside strings: known before anything is allocated.
std::size_t nestingDepth(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

// Printable ASCII only, at most `longest` characters.
std::string asciiLine(std::string_view text, std::size_t longest) {
  std::string line(text.substr(0, longest));
  for (char& c : line)
    if (c < 0x20 || c > 0x7e) c = '?';
  return text.size() > longest ? line + "..." : line;
}

// Remembers the keys of the objects that are open, to find one that comes twice.
class DuplicateKeys {
 public:
  void see(json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::object_start) open_.emplace_back();
    if (event == json::parse_event_t::object_end) open_.pop_back();
    if (event != json::parse_event_t::key) return;
    const auto& key = parsed.get_ref<const std::string&>();
    if (!open_.back().insert(key).second && first_.empty()) first_ = excerpt(key);
  }
  const std::string& first() const { return first_; }  // in quotes; empty when there is none

 private:
  std::vector<std::set<std::string>> open_;
  std::string first_;
};

}  // namespace

Result<json> parseJsonObject(std::string_view text, std::string_view what, JsonLimits limits) {
  if (text.size() > limits.bytes)
    return fail(ErrorCode::kInvalidFile, "{}: {} bytes of JSON, more than the {} that are read", what,
                text.size(), limits.bytes);
  if (const std::size_t depth = nestingDepth(text); depth > limits.depth)
    return fail(ErrorCode::kInvalidFile, "{}: nested {} deep, more than {}", what, depth, limits.depth);
  try {
    DuplicateKeys keys;
    json value = json::parse(text, [&keys](int, json::parse_event_t event, json& parsed) {
      keys.see(event, parsed);
      return true;
    });
    if (!keys.first().empty())
      return fail(ErrorCode::kInvalidFile, "{}: key {} appears twice in one object", what, keys.first());
    if (!value.is_object())
      return fail(ErrorCode::kInvalidFile, "{}: expected a JSON object, found {}", what, value.type_name());
    return value;
  } catch (const json::exception& error) {
    // The message tells the position; it may quote the input at any length.
    return fail(ErrorCode::kInvalidFile, "{}: not valid JSON: {}", what,
                asciiLine(error.what(), kLongestMessage));
  }
}

std::string excerpt(const json& value) {
  // dump() writes control characters and all that is not ASCII as escapes.
  return asciiLine(value.dump(-1, ' ', true, json::error_handler_t::replace), kLongestExcerpt);
}

}  // namespace vitrine::core
