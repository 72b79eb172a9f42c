#include "core/checkpoint/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vitrine::core {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestMessage = 200, kLongestExcerpt = 60;

// Printable ASCII only, at most `longest` characters.
std::string asciiLine(std::string_view text, std::size_t longest) {
  std::string line(text.substr(0, longest));
  for (char& c : line)
    if (c < 0x20 || c > 0x7e) c = '?';
  return text.size() > longest ? line + "..." : line;
}

// Walks the text without building anything, to find what must not be built. (The library's own callback while
// it builds takes quadratic time.)
class Checker final : public json::json_sax_t {
 public:
  Checker(std::string_view what, JsonLimits limits) : what_(what), limits_(limits) {}
  const std::optional<Error>& problem() const { return problem_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& key) override {
    if (keys_.back().insert(key).second) return true;
    return refuse(fmt::format("key {} appears twice in one object", excerpt(key)));
  }
  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    // The message tells the position; it may quote the input at any length.
    return refuse(fmt::format("not valid JSON: {}", asciiLine(error.what(), kLongestMessage)));
  }

 private:
  bool open() {
    keys_.emplace_back();
    return keys_.size() <= limits_.depth || refuse(fmt::format("nested more than {} deep", limits_.depth));
  }
  bool close() {
    keys_.pop_back();
    return true;
  }
  bool refuse(std::string reason) {
    problem_ = Error{ErrorCode::kInvalidFile, fmt::format("{}: {}", what_, reason), nullptr};
    return false;
  }

  std::string_view what_;
  JsonLimits limits_;
  std::vector<std::set<std::string>> keys_;  // of each object that is open; empty for an array
  std::optional<Error> problem_;
};

}  // namespace

Result<json> parseJsonObject(std::string_view text, std::string_view what, JsonLimits limits) {
  if (text.size() > limits.bytes)
    return fail(ErrorCode::kInvalidFile, "{}: {} bytes of JSON, more than the {} that are read", what,
                text.size(), limits.bytes);
  Checker checker(what, limits);
  json::sax_parse(text, &checker);
  if (checker.problem()) return tl::unexpected(*checker.problem());
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object())
    return fail(ErrorCode::kInvalidFile, "{}: expected a JSON object, found {}", what, value.type_name());
  return value;
}

std::string quoteSpecialNumbers(std::string_view text) {
  constexpr std::string_view kSpecial[] = {"NaN", "-Infinity", "Infinity"};
  std::string quoted;
  quoted.reserve(text.size());
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    const auto* special = std::ranges::find_if(kSpecial, [&](auto word) { return rest.starts_with(word); });
    if (!in_string && special != std::end(kSpecial)) {
      quoted.append("\"").append(*special).append("\"");
      at += special->size();
      continue;
    }
    const std::size_t step = in_string && text[at] == '\\' && at + 1 < text.size() ? 2 : 1;
    if (text[at] == '"') in_string = !in_string;
    quoted.append(text.substr(at, step));
    at += step;
  }
  return quoted;
}

std::string excerpt(const json& value) {
  // dump() writes control characters and all that is not ASCII as escapes.
  return asciiLine(value.dump(-1, ' ', true, json::error_handler_t::replace), kLongestExcerpt);
}

}  // namespace vitrine::core
