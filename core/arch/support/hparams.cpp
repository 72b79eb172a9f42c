#include "core/arch/support/hparams.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/checkpoint/json.h"

namespace vitrine::core::arch {

using nlohmann::json;

std::string Hparams::spelling(Key key) const {
  return isGguf() ? gguf_prefix_ + std::string(key.gguf) : std::string(key.hf);
}

const json* Hparams::find(Key key) const {
  if ((isGguf() ? key.gguf : key.hf).empty()) return nullptr;
  const auto at = values_->find(spelling(key));
  return at == values_->end() || at->is_null() ? nullptr : &*at;
}

bool Hparams::mentions(Key key) const {
  return values_->contains(spelling(key));
}

tl::unexpected<Error> Hparams::refuse(Key key, std::string_view expected) const {
  const json* found = find(key);
  if (!found) return fail(ErrorCode::kInvalidFile, "{} is missing; it must be {}", spelling(key), expected);
  return fail(ErrorCode::kInvalidFile, "{} must be {}, found {}", spelling(key), expected, excerpt(*found));
}

Result<std::uint32_t> Hparams::wholeNumber(Key key, std::uint32_t least, std::uint32_t most) const {
  const json* found = find(key);
  const auto value = found && found->is_number_integer() && (found->is_number_unsigned() || *found >= 0)
                         ? std::optional(found->get<std::uint64_t>())
                         : std::nullopt;
  if (!value || *value < least || *value > most)
    return refuse(key, fmt::format("a whole number from {} to {}", least, most));
  return static_cast<std::uint32_t>(*value);
}

Result<std::uint32_t> Hparams::count(Key key, std::uint32_t most) const {
  return wholeNumber(key, 1, most);
}

Result<std::uint32_t> Hparams::countOr(Key key, std::uint32_t otherwise, std::uint32_t most) const {
  if (!has(key)) return otherwise;
  return wholeNumber(key, 1, most);
}

Result<std::uint32_t> Hparams::countOrNone(Key key, std::uint32_t otherwise, std::uint32_t most) const {
  if (!has(key)) return otherwise;
  return wholeNumber(key, 0, most);
}

Result<double> Hparams::positive(Key key) const {
  const json* found = find(key);
  const double value = found && found->is_number() ? found->get<double>() : 0;
  if (!std::isfinite(value) || value <= 0) return refuse(key, "a number greater than 0");
  return value;
}

Result<double> Hparams::positiveOr(Key key, double otherwise) const {
  if (!has(key)) return otherwise;
  return positive(key);
}

Result<bool> Hparams::flagOr(Key key, bool otherwise) const {
  const json* found = find(key);
  if (!found) return otherwise;
  if (!found->is_boolean()) return refuse(key, "true or false");
  return found->get<bool>();
}

Result<std::string> Hparams::textOr(Key key, std::string otherwise) const {
  const json* found = find(key);
  if (!found) return otherwise;
  if (!found->is_string()) return refuse(key, "a text");
  return found->get<std::string>();
}

bool Hparams::isZero(Key key) const {
  const json* found = find(key);
  return found && *found == 0;
}

bool Hparams::isText(Key key, std::string_view text) const {
  const json* found = find(key);
  return found && *found == text;
}

bool Hparams::hasTable(Key key, std::string_view name) const {
  const json* found = find(key);
  if (!found || !found->is_object()) return false;
  const auto table = found->find(name);
  return table != found->end() && table->is_object();
}

Result<const json*> Hparams::list(Key key, std::size_t size, bool (*fits)(const json&),
                                  std::string_view entries) const {
  const json* found = find(key);
  const bool sized = found && found->is_array() && (size == 0 ? !found->empty() : found->size() == size);
  if (sized && std::ranges::all_of(*found, fits)) return found;
  return refuse(
      key, size == 0 ? fmt::format("a list of {}", entries) : fmt::format("a list of {} {}", size, entries));
}

Result<std::vector<double>> Hparams::positives(Key key, std::size_t size) const {
  const auto fits = [](const json& n) { return n.is_number() && n > 0 && std::isfinite(n.get<float>()); };
  TRY_ASSIGN(const json* found, list(key, size, fits, "numbers greater than 0"));
  return found->get<std::vector<double>>();
}

Result<std::vector<std::uint32_t>> Hparams::numbers(Key key, std::size_t size, std::uint32_t most) const {
  const std::string entries = fmt::format("numbers from 0 to {}", most);
  const auto fits = [](const json& n) { return n.is_number_integer() && n >= 0; };
  TRY_ASSIGN(const json* found, list(key, size, fits, entries));
  if (std::ranges::any_of(*found, [most](const json& n) { return n > most; }))
    return refuse(key, fmt::format("a list of {}", entries));
  return found->get<std::vector<std::uint32_t>>();
}

Result<std::vector<std::size_t>> Hparams::choices(Key key, std::size_t size,
                                                  std::span<const std::string_view> allowed) const {
  const std::string entries =
      fmt::format("{}, each one of {}", size == 0 ? "texts" : "layers", fmt::join(allowed, ", "));
  TRY_ASSIGN(const json* found, list(
                                    key, size, [](const json& text) { return text.is_string(); }, entries));
  std::vector<std::size_t> places;
  for (const json& text : *found) {
    const auto place = std::ranges::find(allowed, std::string_view(text.get_ref<const std::string&>()));
    if (place == allowed.end()) return refuse(key, fmt::format("a list of {}", entries));
    places.push_back(static_cast<std::size_t>(place - allowed.begin()));
  }
  return places;
}

Result<std::vector<bool>> Hparams::namedLayers(Key key, std::uint32_t layers) const {
  const json* found = find(key);
  const auto is_layer = [layers](const json& n) {
    return n.is_number_unsigned() && n.get<std::uint64_t>() < layers;
  };
  if (!found || !found->is_array() || !std::ranges::all_of(*found, is_layer))
    return refuse(key, fmt::format("a list of layers below {}", layers));
  std::vector<bool> named(layers, false);
  for (const json& layer : *found) named[layer.get<std::size_t>()] = true;
  return named;
}

}  // namespace vitrine::core::arch
