#include "core/checkpoint/parts.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

constexpr std::size_t kLongestName = 1024;

// Calls see(code point) for each character, negative where the bytes are no UTF-8.
template <typename See>
void forEachCharacter(std::string_view text, See see) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto length = static_cast<std::int64_t>(text.size());
  for (std::int64_t at = 0; at < length;) {
    UChar32 character = 0;
    U8_NEXT(bytes, at, length, character);
    see(character);
  }
}

}  // namespace

Result<std::uint64_t> tensorBytes(DType type, const std::vector<std::uint64_t>& shape) {
  const DTypeInfo& t = info(type);
  constexpr std::uint64_t kMost =
      std::numeric_limits<std::uint64_t>::max() / 8;  // 8: the widest plain element
  std::uint64_t elements = 1;
  for (const std::uint64_t size : shape) {
    if (size != 0 && elements > kMost / size)
      return fail(ErrorCode::kInvalidFile, "shape ({}) has more elements than 64 bits count",
                  fmt::join(shape, ", "));
    elements *= size;
  }
  const std::uint64_t row = shape.empty() ? 1 : shape.back();
  if (row % t.block_size != 0)
    return fail(ErrorCode::kInvalidFile, "rows of {} elements are not whole blocks of {} ({})", row,
                t.block_size, t.name);
  return elements / t.block_size * t.block_bytes;
}

Result<void> checkName(std::string_view name) {
  if (name.empty()) return fail(ErrorCode::kInvalidFile, "a name is empty");
  if (name.size() > kLongestName)
    return fail(ErrorCode::kInvalidFile, "a name of {} bytes, more than {}", name.size(), kLongestName);
  bool printable = true;
  forEachCharacter(name, [&](UChar32 c) { printable = printable && c >= 0x20 && c != 0x7f; });
  if (!printable) return fail(ErrorCode::kInvalidFile, "a name is not printable UTF-8");
  return {};
}

std::string validUtf8(std::string_view text) {
  bool valid = true;
  forEachCharacter(text, [&](UChar32 c) { valid = valid && c >= 0; });
  if (valid) return std::string(text);
  std::string repaired;
  forEachCharacter(text, [&](UChar32 c) {
    std::uint8_t bytes[U8_MAX_LENGTH];
    int length = 0;
    U8_APPEND_UNSAFE(bytes, length, c < 0 ? 0xfffd : c);
    repaired.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  });
  return repaired;
}

Result<void> sortByName(std::vector<TensorEntry>& tensors) {
  std::ranges::sort(tensors, {}, &TensorEntry::name);
  const auto twice = std::ranges::adjacent_find(tensors, {}, &TensorEntry::name);
  if (twice != tensors.end()) return fail(ErrorCode::kInvalidFile, "tensor {} appears twice", twice->name);
  return {};
}

}  // namespace vitrine::core
