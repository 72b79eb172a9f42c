// GPT-2's alphabet: each of the 256 bytes as a printable character ("Ġ" is a space, "Ċ" a line feed), so that
// a vocabulary of byte strings can be written as text. Printable Latin-1 stands for itself; the other 68
// bytes follow from U+0100 on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::core {

char16_t alphabetCharacter(std::uint8_t byte);
std::optional<std::uint8_t> alphabetByte(char32_t character);

std::string toByteAlphabet(std::string_view bytes);  // " the" -> "Ġthe"
std::optional<std::string> fromByteAlphabet(
    std::string_view spelled);  // nullopt: a character is not in the alphabet

}  // namespace vitrine::core
