// Reads little-endian values off the front of untrusted bytes; every read is checked against what is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "gpu/error.h"

namespace vitrine::core {

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t position() const { return at_; }
  std::uint64_t remaining() const { return bytes_.size() - at_; }

  template <typename T>
  requires std::is_arithmetic_v<T> Result<T> read(std::string_view what) {
    TRY_ASSIGN(const std::span<const std::byte> taken, take(sizeof(T), what));
    T value;
    std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }

  Result<std::span<const std::byte>> take(std::uint64_t count, std::string_view what) {
    if (count > remaining())
      return fail(ErrorCode::kInvalidFile,
                  "{} at byte {} needs {} bytes, but only {} are left: the file is truncated or damaged",
                  what, at_, count, remaining());
    const auto taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  // A count of things that take at least `smallest` bytes each: more than fit into the rest is a lie.
  Result<std::uint64_t> readCount(std::uint64_t smallest, std::string_view what) {
    TRY_ASSIGN(const auto count, read<std::uint64_t>(what));
    if (count > remaining() / smallest)
      return fail(ErrorCode::kInvalidFile, "{} is {}, but the {} bytes that are left hold at most {}", what,
                  count, remaining(), remaining() / smallest);
    return count;
  }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t at_ = 0;
};

}  // namespace vitrine::core
