#include "core/text/byte_alphabet.h"

#include "core/text/unicode.h"

#include <array>

namespace vitrine::core {
namespace {

constexpr char16_t kFirstSubstitute = 0x100;
constexpr int kSubstitutes = 68;

constexpr bool standsForItself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

struct Alphabet {
  std::array<char16_t, 256> character{};
  std::array<std::uint8_t, kSubstitutes> substituted{};  // the byte that U+0100 + index stands for
};

constexpr Alphabet makeAlphabet() {
  Alphabet alphabet;
  int substitutes = 0;
  for (int byte = 0; byte < 256; ++byte) {
    if (standsForItself(byte)) {
      alphabet.character[byte] = static_cast<char16_t>(byte);
    } else {
      alphabet.substituted[substitutes] = static_cast<std::uint8_t>(byte);
      alphabet.character[byte] = static_cast<char16_t>(kFirstSubstitute + substitutes++);
    }
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = makeAlphabet();

}  // namespace

char16_t alphabetCharacter(std::uint8_t byte) {
  return kAlphabet.character[byte];
}

std::optional<std::uint8_t> alphabetByte(char32_t character) {
  if (character >= kFirstSubstitute && character < kFirstSubstitute + kSubstitutes) {
    return kAlphabet.substituted[character - kFirstSubstitute];
  }
  if (character < 0x100 && standsForItself(static_cast<int>(character)))
    return static_cast<std::uint8_t>(character);
  return std::nullopt;
}

std::string toByteAlphabet(std::string_view bytes) {
  std::string spelled;
  spelled.reserve(bytes.size() * 2);
  for (const char byte : bytes) appendUtf8(spelled, alphabetCharacter(static_cast<std::uint8_t>(byte)));
  return spelled;
}

std::optional<std::string> fromByteAlphabet(std::string_view spelled) {
  std::string bytes;
  bytes.reserve(spelled.size());
  for (std::size_t at = 0; at < spelled.size();) {
    const CodePoint next = codePointAt(spelled, at);
    const std::optional<std::uint8_t> byte = next.valid ? alphabetByte(next.value) : std::nullopt;
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
    at += next.bytes;
  }
  return bytes;
}

}  // namespace vitrine::core
