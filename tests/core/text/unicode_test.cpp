#include "core/text/unicode.h"
#include "core/text/byte_alphabet.h"

#include <gtest/gtest.h>

namespace vitrine::core {
namespace {

using namespace std::string_literals;

TEST(Unicode, FindsTheFirstIllFormedByte) {
  EXPECT_EQ(firstInvalidUtf8(""), std::string_view::npos);
  EXPECT_EQ(firstInvalidUtf8("aé漢😀\0z"s), std::string_view::npos);
  EXPECT_EQ(firstInvalidUtf8("ab\x80"), 2u);
  EXPECT_EQ(firstInvalidUtf8("a\xC0\x80"), 1u);         // overlong
  EXPECT_EQ(firstInvalidUtf8("\xED\xA0\x80"), 0u);      // a surrogate
  EXPECT_EQ(firstInvalidUtf8("\xF4\x90\x80\x80"), 0u);  // above U+10FFFF
  EXPECT_EQ(firstInvalidUtf8("漢\xE6\xBC"), 3u);        // cut
}

TEST(Unicode, AppendsWhatCodePointAtReads) {
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 37) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    appendUtf8(text, c);
    const CodePoint read = codePointAt(text, 0);
    ASSERT_TRUE(read.valid && read.value == c && read.bytes == text.size())
        << std::hex << static_cast<unsigned>(c);
  }
}

TEST(Unicode, KnowsHowMuchOfACharacterIsStillToCome) {
  const std::string text = "é漢😀";
  EXPECT_EQ(incompleteSuffix(""), 0u);
  EXPECT_EQ(incompleteSuffix(text), 0u);
  EXPECT_EQ(incompleteSuffix(text.substr(0, 1)), 1u);
  EXPECT_EQ(incompleteSuffix(text.substr(0, 4)), 2u);
  EXPECT_EQ(incompleteSuffix(text.substr(0, 8)), 3u);
  EXPECT_EQ(incompleteSuffix("\x80\x80"), 0u);  // no beginning
  EXPECT_EQ(incompleteSuffix("\xE2\x28"), 0u);  // already broken
  EXPECT_EQ(incompleteSuffix("\xED\xA0"), 0u);  // can only become a surrogate
  EXPECT_EQ(incompleteSuffix("\xFF"), 0u);
  EXPECT_EQ(incompleteSuffix("\xF0\x9F\x98"), 3u);
}

TEST(Unicode, ReplacesEachMaximalSubpart) {
  EXPECT_EQ(replaceInvalidUtf8("a\xE2\x82z"), "a\uFFFDz");
  EXPECT_EQ(replaceInvalidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(replaceInvalidUtf8("\xF0\x9F\x98"), "\uFFFD");
  EXPECT_EQ(replaceInvalidUtf8("é"), "é");
}

TEST(Unicode, MeasuresColumns) {
  EXPECT_EQ(displayWidth("abc"), 3);
  EXPECT_EQ(displayWidth("漢字"), 4);
  EXPECT_EQ(displayWidth("e\u0301"), 1);
  EXPECT_EQ(displayWidth("😀"), 2);
  EXPECT_EQ(displayWidth("\u200B\n"), 0);
}

TEST(Unicode, ElidesTheMiddleBetweenWholeCharacters) {
  EXPECT_EQ(elideMiddle("short", 5), "short");
  EXPECT_EQ(elideMiddle("abcdefghij", 5), "ab…ij");
  EXPECT_EQ(elideMiddle("abcdefghij", 1), "…");
  EXPECT_EQ(elideMiddle("abcdefghij", 0), "");
  EXPECT_EQ(elideMiddle("", 0), "");
  EXPECT_EQ(elideMiddle("漢字漢字", 5), "漢…字");
  EXPECT_EQ(elideMiddle("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 5),
            "👨‍👩‍👧…👨‍👩‍👧");
  for (int columns = 0; columns < 12; ++columns) {
    EXPECT_LE(displayWidth(elideMiddle("a漢e\u0301字bc漢de\u0308f", columns)), columns);
  }
}

TEST(Unicode, QuotesForOneLineOfAMessage) {
  EXPECT_EQ(quotable("plain"), "plain");
  EXPECT_EQ(quotable("a\nb\x1B[0m\xFF"), "a\uFFFDb\uFFFD[0m\uFFFD");
  EXPECT_LE(quotable(std::string(1 << 20, 'x')).size(), 70u);
}

TEST(ByteAlphabet, SpellsEachByteAsOneVisibleCharacterAndBack) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  EXPECT_EQ(fromByteAlphabet(toByteAlphabet(bytes)), bytes);
  EXPECT_EQ(toByteAlphabet(" the\n\xC3\xA9"), "ĠtheĊÃ©");
  EXPECT_EQ(fromByteAlphabet("a b"), std::nullopt);  // a space stands for no byte
  EXPECT_EQ(fromByteAlphabet("漢"), std::nullopt);
}

}  // namespace
}  // namespace vitrine::core
