#include "core/methods/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vitrine::core::methods {
namespace {

std::string namesOf(std::span<const Parameter> parameters) {
  std::string names;
  for (const Parameter& parameter : parameters) {
    if (!names.empty()) names += ", ";
    names += parameter.name;
  }
  return names.empty() ? "it has none" : "it has " + names;
}

Result<double> numberIn(std::string_view text, std::string_view whole) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return fail(ErrorCode::kInvalidArgument, "'{}': '{}' is no number", whole, text);
  return value;
}

}  // namespace

Parameters::Parameters(std::span<const Parameter> parameters) : parameters_(parameters) {
  for (const Parameter& parameter : parameters) values_.push_back(parameter.fallback);
}

Result<void> Parameters::set(std::string_view name, double value) {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  if (found == parameters_.end())
    return fail(ErrorCode::kInvalidArgument, "no parameter '{}': {}", name, namesOf(parameters_));
  if (!(value >= found->least && value <= found->most) || (found->whole && value != std::floor(value)))
    return fail(ErrorCode::kInvalidArgument, "{} = {}: expected {} from {} to {}", name, value,
                found->whole ? "a whole number" : "a number", found->least, found->most);
  values_[static_cast<std::size_t>(found - parameters_.begin())] = value;
  return {};
}

double Parameters::value(std::string_view name) const {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  VITRINE_ASSERT(found != parameters_.end());
  return values_[static_cast<std::size_t>(found - parameters_.begin())];
}

std::size_t Parameters::count(std::string_view name) const {
  return static_cast<std::size_t>(value(name));
}

std::string Parameters::text() const {
  std::string all;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    all += fmt::format("{}{}={}", all.empty() ? "" : ", ", parameters_[i].name, values_[i]);
  return all;
}

Result<MethodCall> parseMethodCall(std::string_view text) {
  const std::size_t colon = text.find(':');
  MethodCall call{.id = std::string(text.substr(0, colon)), .values = {}};
  if (call.id.empty())
    return fail(ErrorCode::kInvalidArgument, "'{}': expected a method as ID or ID:key=value,..", text);
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view pair = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return fail(ErrorCode::kInvalidArgument, "'{}': expected key=value, found '{}'", text, pair);
    TRY_ASSIGN(const double value, numberIn(pair.substr(equals + 1), text));
    call.values.emplace_back(pair.substr(0, equals), value);
  }
  return call;
}

}  // namespace vitrine::core::methods
