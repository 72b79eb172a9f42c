// UTF-8 for the rest of core and for labels: validation, code points, replacement of bytes that are no
// character, width in columns of a fixed-width font and elision. All offsets and sizes are bytes unless they
// say columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

// A code point and the bytes it takes. Ill-formed bytes come as U+FFFD, one for each maximal subpart (Unicode
// 15, section 3.9), with valid == false.
struct CodePoint {
  char32_t value = 0;
  std::uint32_t bytes = 0;
  bool valid = true;
};

// `at` must lie inside `utf8`.
CodePoint codePointAt(std::string_view utf8, std::size_t at);
void appendUtf8(std::string& out, char32_t code_point);

// The offset of the first ill-formed byte, or npos when all of `utf8` is well-formed.
std::size_t firstInvalidUtf8(std::string_view utf8);
// How many bytes at the end are the beginning of a character that more bytes could complete (0 to 3).
std::size_t incompleteSuffix(std::string_view bytes);
// `bytes` with U+FFFD in place of whatever is ill-formed.
std::string replaceInvalidUtf8(std::string_view bytes);

bool isWhitespace(char32_t code_point);     // the White_Space property: what \s matches
bool isWordCharacter(char32_t code_point);  // letters, marks, digits, connectors: what \w matches

// Where each extended grapheme cluster, what a reader takes for one character, ends. `utf8` is well-formed.
std::vector<std::size_t> graphemeEnds(std::string_view utf8);

// Columns in a fixed-width font: 2 for East Asian wide characters and emoji, 0 for combining marks and
// controls.
int displayWidth(std::string_view utf8);
// At most `columns` wide: the middle gives way to "…", never in the middle of what a reader takes for one
// character.
std::string elideMiddle(std::string_view utf8, int columns);
// Text out of a file for an error message: one line, not too long, nothing that a terminal would act on.
std::string quotable(std::string_view bytes, int columns = 60);

}  // namespace vitrine::core
