#include "core/arch/support/hparams.h"

#include <cmath>

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

}  // namespace vitrine::core::arch
