// Writes GGUF files for tests, right ones and wrong ones.
//   GgufBuilder builder;
//   builder.set("general.architecture", "llama").set("llama.block_count", std::uint32_t{2});
//   builder.tensor("token_embd.weight", DType::kF32, {vocab, d}, bytes);
//   writeFile(path, builder.build());
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/tensor/dtype.h"
#include "gpu/error.h"

namespace vitrine::test {

using Bytes = std::vector<std::byte>;

inline void writeFile(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  VITRINE_ASSERT(file.good());
}

inline void writeFile(const std::filesystem::path& path, std::string_view text) {
  writeFile(path, std::as_bytes(std::span(text)));
}

class GgufBuilder {
 public:
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;  // also set general.alignment when it is another

  template <typename T>
  requires std::is_arithmetic_v<T> GgufBuilder& set(std::string_view key, T value) {
    beginKey(key, typeNumber<T>());
    append(keys_, value);
    return *this;
  }
  GgufBuilder& set(std::string_view key, std::string_view text) {
    beginKey(key, kString);
    appendText(keys_, text);
    return *this;
  }
  GgufBuilder& set(std::string_view key, const char* text) { return set(key, std::string_view(text)); }
  GgufBuilder& set(std::string_view key, const std::vector<std::string>& texts) {
    beginArray(key, kString, texts.size());
    for (const std::string& text : texts) appendText(keys_, text);
    return *this;
  }
  template <typename T>
  requires std::is_arithmetic_v<T> GgufBuilder& set(std::string_view key, const std::vector<T>& values) {
    beginArray(key, typeNumber<T>(), values.size());
    for (const T value : values) append(keys_, value);
    return *this;
  }
  // A value of any kind, as raw bytes.
  GgufBuilder& setRaw(std::string_view key, std::uint32_t type, std::span<const std::byte> bytes) {
    beginKey(key, type);
    appendBytes(keys_, bytes);
    return *this;
  }

  GgufBuilder& tensor(std::string_view name, core::DType type, const std::vector<std::uint64_t>& shape,
                      std::span<const std::byte> bytes) {
    return tensorOfType(name, ggmlNumber(type), shape, bytes);
  }
  GgufBuilder& tensorOfType(std::string_view name, std::uint32_t ggml_type,
                            const std::vector<std::uint64_t>& shape, std::span<const std::byte> bytes) {
    appendText(infos_, name);
    append(infos_, static_cast<std::uint32_t>(shape.size()));
    for (std::size_t i = shape.size(); i-- > 0;) append(infos_, shape[i]);
    append(infos_, ggml_type);
    append(infos_, static_cast<std::uint64_t>(data_.size()));
    appendBytes(data_, bytes);
    data_.resize((data_.size() + alignment - 1) / alignment * alignment);
    ++tensor_count_;
    return *this;
  }

  Bytes build() const {
    Bytes file;
    append(file, std::uint32_t{0x46554747});
    append(file, version);
    append(file, tensor_count_);
    append(file, key_count_);
    appendBytes(file, keys_);
    appendBytes(file, infos_);
    if (tensor_count_ > 0) file.resize((file.size() + alignment - 1) / alignment * alignment);
    appendBytes(file, data_);
    return file;
  }

  // Little endian, as the machines are that run this.
  template <typename T>
  static void append(Bytes& bytes, T value) {
    appendBytes(bytes, std::as_bytes(std::span(&value, 1)));
  }
  static void appendText(Bytes& bytes, std::string_view text) {
    append(bytes, static_cast<std::uint64_t>(text.size()));
    appendBytes(bytes, std::as_bytes(std::span(text)));
  }
  static void appendBytes(Bytes& bytes, std::span<const std::byte> more) {
    const std::size_t at = bytes.size();
    bytes.resize(at + more.size());
    if (!more.empty()) std::memcpy(bytes.data() + at, more.data(), more.size());
  }
  static std::uint32_t ggmlNumber(core::DType type) {
    for (std::uint32_t number = 0; number < 64; ++number)
      if (core::dtypeFromGgml(number) == type) return number;
    return 0xffffffff;
  }

 private:
  static constexpr std::uint32_t kString = 8, kArray = 9;

  template <typename T>
  static constexpr std::uint32_t typeNumber() {
    if constexpr (std::is_same_v<T, std::uint8_t>) return 0;
    if constexpr (std::is_same_v<T, std::int8_t>) return 1;
    if constexpr (std::is_same_v<T, std::uint16_t>) return 2;
    if constexpr (std::is_same_v<T, std::int16_t>) return 3;
    if constexpr (std::is_same_v<T, std::uint32_t>) return 4;
    if constexpr (std::is_same_v<T, std::int32_t>) return 5;
    if constexpr (std::is_same_v<T, float>) return 6;
    if constexpr (std::is_same_v<T, bool>) return 7;
    if constexpr (std::is_same_v<T, std::uint64_t>) return 10;
    if constexpr (std::is_same_v<T, std::int64_t>) return 11;
    if constexpr (std::is_same_v<T, double>) return 12;
  }
  void beginKey(std::string_view key, std::uint32_t type) {
    appendText(keys_, key);
    append(keys_, type);
    ++key_count_;
  }
  void beginArray(std::string_view key, std::uint32_t element_type, std::uint64_t count) {
    beginKey(key, kArray);
    append(keys_, element_type);
    append(keys_, count);
  }

  Bytes keys_, infos_, data_;
  std::uint64_t key_count_ = 0, tensor_count_ = 0;
};

}  // namespace vitrine::test
