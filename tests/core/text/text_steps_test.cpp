// The steps before BPE: regular expressions, normalization, cutting into words, tokens that are cut out of
// the text.
#include "core/text/added_tokens.h"
#include "core/text/llamacpp_patterns.h"
#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace vitrine::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

std::vector<std::string> matchesOf(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::compile(pattern);
  EXPECT_TRUE(regex) << regex.error().describe();
  const Utf16Text utf16 = Utf16Text::fromUtf8(text);
  RegexScanner scanner(*regex, utf16);
  std::vector<ByteRange> ranges;
  EXPECT_TRUE(scanner.matchesIn({0, static_cast<std::uint32_t>(text.size())}, ranges));
  std::vector<std::string> out;
  for (const ByteRange& range : ranges) out.emplace_back(range.of(text));
  return out;
}

PreTokenizerStep split(std::string_view pattern, SplitBehavior behavior, bool invert = false) {
  return {.kind = PreTokenizerStep::Kind::kSplit,
          .pattern = *Regex::compile(pattern),
          .behavior = behavior,
          .invert = invert};
}

Words wordsOf(std::vector<PreTokenizerStep> steps, std::string text,
              FragmentPosition position = FragmentPosition::kFirst) {
  const auto split = PreTokenizer(std::move(steps)).apply(std::move(text), position);
  EXPECT_TRUE(split) << split.error().describe();
  Words words;
  for (const ByteRange& word : split->words) words.emplace_back(word.of(split->text));
  return words;
}

std::string normalized(NormalizerStep step, std::string_view text) {
  const auto out = Normalizer({std::move(step)}).apply(text);
  EXPECT_TRUE(out) << out.error().describe();
  return out.value_or("");
}

TEST(Regex, GivesBytesOfMatchesInAnyPlane) {
  EXPECT_THAT(matchesOf(R"(\p{L}+)", "né 漢字 𝕏y"), ElementsAre("né", "漢字", "𝕏y"));
  EXPECT_THAT(matchesOf("[^a]", "a😀a\u0301"), ElementsAre("😀", "\u0301"));
  EXPECT_THAT(matchesOf("x*", "axxb"), ElementsAre("xx"));  // empty matches do not count
  EXPECT_THAT(matchesOf(R"(\s)", "a\u0085b\u00A0c\u3000"), ElementsAre("\u0085", "\u00A0", "\u3000"));
}

TEST(Regex, SeesNothingOutsideTheRange) {
  const auto regex = Regex::compile(R"((?<!a)b|b(?=c)|^b|b$)");
  const std::string text = "éabc";
  const Utf16Text utf16 = Utf16Text::fromUtf8(text);
  RegexScanner scanner(*regex, utf16);
  std::vector<ByteRange> ranges;
  ASSERT_TRUE(scanner.matchesIn({2, 3}, ranges));
  EXPECT_TRUE(ranges.empty());
  ASSERT_TRUE(scanner.matchesIn({3, 4}, ranges));
  EXPECT_THAT(ranges, ElementsAre(ByteRange{3, 4}));
}

TEST(Regex, QuotesLiterals) {
  const std::string all = "\\^$.|?*+()[]{}-&# aé";
  EXPECT_THAT(matchesOf(Regex::quote(all), all), ElementsAre(all));
}

TEST(Regex, NamesAWrongPattern) {
  for (const std::string& pattern :
       {std::string("(a"), std::string("[a"), std::string("a{2,1}"), std::string("\xFF"),
        std::string("(?<=a+)b"), std::string(1 << 17, 'a')}) {
    const auto regex = Regex::compile(pattern);
    ASSERT_FALSE(regex);
    EXPECT_EQ(regex.error().code, ErrorCode::kInvalidFile);
    EXPECT_THAT(regex.error().message, HasSubstr("regular expression '"));
    EXPECT_LT(regex.error().message.size(), 300u);
  }
}

TEST(Regex, GivesUpOnEndlessBacktracking) {
  const auto regex = Regex::compile("(a+)+b");
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& text : {std::string(100, 'a'), std::string(1 << 20, 'a')}) {
    const Utf16Text utf16 = Utf16Text::fromUtf8(text);
    RegexScanner scanner(*regex, utf16);
    std::vector<ByteRange> ranges;
    const auto result = scanner.matchesIn({0, static_cast<std::uint32_t>(text.size())}, ranges);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Regex, HasADeadlineForManyShortRanges) {
  const auto regex = Regex::compile("(a+)+b");
  std::string text;
  std::vector<ByteRange> words;
  for (std::uint32_t i = 0; i < 100000; ++i) {
    words.push_back({i * 15, i * 15 + 14});
    text += "aaaaaaaaaaaaaa ";
  }
  const Utf16Text utf16 = Utf16Text::fromUtf8(text);
  RegexScanner scanner(*regex, utf16);
  std::vector<ByteRange> ranges;
  Result<void> result;
  for (std::size_t i = 0; i < words.size() && result; ++i) result = scanner.matchesIn(words[i], ranges);
  EXPECT_FALSE(result);
}

TEST(PreTokenizer, SplitsInEachWay) {
  const std::string text = "a--b-c";
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kIsolated)}, text), (Words{"a", "-", "-", "b", "-", "c"}));
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kRemoved)}, text), (Words{"a", "b", "c"}));
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kMergedWithPrevious)}, text), (Words{"a-", "-", "b-", "c"}));
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kMergedWithNext)}, text), (Words{"a", "-", "-b", "-c"}));
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kContiguous)}, text), (Words{"a", "--", "b", "-", "c"}));
  EXPECT_EQ(wordsOf({split("[abc]", SplitBehavior::kRemoved, true)}, text), (Words{"a", "b", "c"}));
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kMergedWithPrevious)}, "-a-"), (Words{"-", "a-"}));
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kMergedWithNext)}, "-a-"), (Words{"-a", "-"}));
  EXPECT_EQ(wordsOf({split("-", SplitBehavior::kIsolated)}, ""), Words{});
}

TEST(PreTokenizer, AppliesStepsToTheWordsOfTheStepBefore) {
  const Words words =
      wordsOf({split(R"(\p{N})", SplitBehavior::kIsolated), split(R"( ?\p{L}+)", SplitBehavior::kIsolated)},
              "ab12 cd");
  EXPECT_EQ(words, (Words{"ab", "1", "2", " cd"}));
}

TEST(PreTokenizer, SeesBytesAsTheirAlphabetAfterByteLevel) {
  // "²" is C2 B2; B2 stands for itself in the alphabet, where it is a number.
  const PreTokenizerStep bytes{.kind = PreTokenizerStep::Kind::kBytes};
  EXPECT_EQ(wordsOf({bytes, split(R"(\p{N})", SplitBehavior::kIsolated)}, "a²"), (Words{"a\xC2", "\xB2"}));
}

TEST(PreTokenizer, MarksSpaces) {
  PreTokenizerStep step{
      .kind = PreTokenizerStep::Kind::kMetaspace, .mark = "▁", .prefix = PrefixScheme::kAlways};
  EXPECT_EQ(wordsOf({step}, "a  b c"), (Words{"▁a", "▁", "▁b", "▁c"}));
  EXPECT_EQ(wordsOf({step}, " a"), (Words{"▁a"}));
  step.split_at_marks = false;
  step.prefix = PrefixScheme::kFirst;
  EXPECT_EQ(wordsOf({step}, "a b"), (Words{"▁a▁b"}));
  EXPECT_EQ(wordsOf({step}, "a b", FragmentPosition::kLater), (Words{"a▁b"}));
  step.prefix = PrefixScheme::kNever;
  EXPECT_EQ(wordsOf({step}, "a b"), (Words{"a▁b"}));
}

TEST(Normalizer, AppliesEachStep) {
  using Kind = NormalizerStep::Kind;
  EXPECT_EQ(normalized({.kind = Kind::kNfc}, "e\u0301"), "é");
  EXPECT_EQ(normalized({.kind = Kind::kNfd}, "é"), "e\u0301");
  EXPECT_EQ(normalized({.kind = Kind::kNfkc}, "ﬁ①"), "fi1");
  EXPECT_EQ(normalized({.kind = Kind::kNfkd}, "ﬁé"), "fie\u0301");
  EXPECT_EQ(normalized({.kind = Kind::kLowercase}, "ÀΣİA"), "àσi\u0307a");
  EXPECT_EQ(normalized({.kind = Kind::kStripAccents}, "e\u0301"), "e");
  EXPECT_EQ(normalized({.kind = Kind::kPrepend, .to = "▁"}, "a"), "▁a");
  EXPECT_EQ(normalized({.kind = Kind::kPrepend, .to = "▁"}, ""), "");
  EXPECT_EQ(normalized({.kind = Kind::kReplaceText, .from = "aa", .to = "b"}, "aaaxa"), "baxa");
  EXPECT_EQ(normalized({.kind = Kind::kReplaceRegex, .pattern = *Regex::compile(" +"), .to = "_"}, "a  é b"),
            "a_é_b");
  EXPECT_EQ(normalized({.kind = Kind::kStrip, .left = true, .right = true}, "\u3000 a b \n"), "a b");
  EXPECT_EQ(normalized({.kind = Kind::kStrip, .left = true, .right = false}, " \n"), "");
}

TEST(Normalizer, RefusesToMakeATextEndless) {
  const NormalizerStep grow{
      .kind = NormalizerStep::Kind::kReplaceText, .from = "a", .to = std::string(100000, 'a')};
  const auto out = Normalizer({grow, grow, grow}).apply("aaaa");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::kUnsupported);
}

// What lies between tokens in brackets, tokens as numbers.
std::string segments(const AddedTokenMatcher& matcher, std::string_view text,
                     SpecialTokens special = SpecialTokens::kParse) {
  std::string out;
  for (const TextSegment& segment : matcher.split(text, special)) {
    out += segment.token ? std::to_string(*segment.token) : "[" + std::string(segment.range.of(text)) + "]";
  }
  return out;
}

TEST(AddedTokens, AreFoundLeftmostAndLongest) {
  const auto matcher = AddedTokenMatcher::create({{.id = 1, .content = "<a>", .special = true},
                                                  {.id = 2, .content = "<a>b", .special = false},
                                                  {.id = 3, .content = "a>bc"}});
  EXPECT_EQ(segments(*matcher, "x<a>bc<a>y"), "[x]2[c]1[y]");
  EXPECT_EQ(segments(*matcher, "x<a>y", SpecialTokens::kPlain), "[x<a>y]");
  EXPECT_EQ(segments(*matcher, "<a><a>b"), "12");
  EXPECT_EQ(segments(*matcher, ""), "");
  EXPECT_EQ(segments(*matcher, "<a"), "[<a]");
}

TEST(AddedTokens, TakeWhiteSpaceAlongAndKeepToWords) {
  const auto matcher = AddedTokenMatcher::create({{.id = 1, .content = "<l>", .left_strip = true},
                                                  {.id = 2, .content = "<r>", .right_strip = true},
                                                  {.id = 3, .content = "cat", .single_word = true}});
  EXPECT_EQ(segments(*matcher, "a \u3000<l> b"), "[a]1[ b]");
  EXPECT_EQ(segments(*matcher, "a <r> \n b"), "[a ]2[b]");
  EXPECT_EQ(segments(*matcher, "<r>  <l>"), "21");
  EXPECT_EQ(segments(*matcher, "cat cats écat _cat cat,"), "3[ cats écat _cat ]3[,]");
}

TEST(AddedTokens, RefusesImpossibleContents) {
  EXPECT_FALSE(AddedTokenMatcher::create({{.id = 1, .content = ""}}));
  EXPECT_FALSE(AddedTokenMatcher::create({{.id = 1, .content = std::string(5000, 'x')}}));
}

TEST(LlamaCppPatterns, CompileAndLoseNothing) {
  const std::string text = "The 12345 'll I'LL NASAs x=3;  \n\n\t é漢字 かな 한국 😀 ...!? \r\n end ";
  for (const std::string_view name :
       {"default", "gpt-2",  "starcoder",    "falcon",         "llama-bpe",   "dbrx",
        "qwen2",   "qwen35", "tekken",       "gpt-4o",         "bailingmoe",  "seed-coder",
        "bloom",   "viking", "deepseek-llm", "deepseek-coder", "deepseek-v3", "smollm",
        "olmo",    "mpt",    "refact",       "command-r"}) {
    const auto words = llamaCppPreTokenizer(name);
    ASSERT_TRUE(words) << name;
    std::vector<PreTokenizerStep> steps;
    for (const std::string& pattern : words->patterns)
      steps.push_back(split(pattern, SplitBehavior::kIsolated));
    std::string joined;
    const Words pieces = wordsOf(steps, text);
    for (const std::string& word : pieces) joined += word;
    EXPECT_EQ(joined, text) << name;
    EXPECT_GT(pieces.size(), 10u) << name;
  }
}

TEST(LlamaCppPatterns, CutAsTheirVocabulariesWereTrained) {
  const auto cut = [](std::string_view name, std::string text) {
    std::vector<PreTokenizerStep> steps;
    const LlamaCppPreTokenizer words = llamaCppPreTokenizer(name).value();
    for (const std::string& pattern : words.patterns) {
      steps.push_back(split(pattern, SplitBehavior::kIsolated));
    }
    return wordsOf(steps, std::move(text));
  };
  EXPECT_EQ(cut("gpt-2", "I'll  go 12345\n"), (Words{"I", "'ll", " ", " go", " 12345", "\n"}));
  EXPECT_EQ(cut("llama-bpe", "I'LL 12345.\n"), (Words{"I", "'LL", " ", "123", "45", ".\n"}));
  EXPECT_EQ(cut("qwen2", "x 12"), (Words{"x", " ", "1", "2"}));
  EXPECT_EQ(cut("starcoder", "x 12"), (Words{"x", " ", "1", "2"}));
  EXPECT_EQ(cut("gpt-4o", "HelloWorld it's"), (Words{"Hello", "World", " it's"}));
  EXPECT_EQ(cut("tekken", "HelloWorld"), (Words{"Hello", "World"}));
  EXPECT_EQ(cut("deepseek-v3", "東京abc 1234"), (Words{"東京", "abc", " ", "123", "4"}));
}

TEST(LlamaCppPatterns, NamesWhatItDoesNotKnow) {
  const auto words = llamaCppPreTokenizer("from-the-future");
  ASSERT_FALSE(words);
  EXPECT_EQ(words.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(words.error().message, HasSubstr("from-the-future"));
}

}  // namespace
}  // namespace vitrine::core
