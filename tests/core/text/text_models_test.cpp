// The parts of the tokenizers other than BPE, against formulas that take their time.
#include "core/text/base64.h"
#include "core/text/byte_trie.h"
#include "core/text/charsmap.h"
#include "core/text/longest_match.h"
#include "core/text/normalizer.h"
#include "core/text/tokenizer_support.h"
#include "core/text/unigram.h"
#include "core/text/word_piece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace vitrine::core {
namespace {

using test::RandomText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

SplitText oneWord(std::string text) {
  SplitText split;
  split.words.push_back({0, static_cast<std::uint32_t>(text.size())});
  split.text = std::move(text);
  return split;
}

Vocabulary vocabularyOf(const std::vector<std::string>& pieces) {
  Vocabulary vocabulary(pieces.size());
  for (std::size_t id = 0; id < pieces.size(); ++id)
    vocabulary.set(static_cast<TokenId>(id), pieces[id], id == 0 ? TokenType::kUnknown : TokenType::kNormal);
  return vocabulary;
}

std::string randomWord(RandomText& random, int longest, std::string_view letters = "abc") {
  std::string word;
  for (int n = random.pick(0, longest); n > 0; --n)
    word += letters[static_cast<std::size_t>(random.pick(0, static_cast<int>(letters.size()) - 1))];
  return word;
}

TEST(ByteTrie, FindsEveryKeyThatATextBeginsWith) {
  RandomText random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> keys;
    for (int n = random.pick(0, 30); n > 0; --n)
      keys.push_back(randomWord(random, 5, std::string("ab\0\xFF", 4)));
    std::vector<ByteTrie::Entry> entries;
    for (std::size_t i = 0; i < keys.size(); ++i) entries.push_back({keys[i], static_cast<std::int32_t>(i)});
    const ByteTrie trie(std::move(entries));
    for (int probe = 0; probe < 20; ++probe) {
      const std::string text = randomWord(random, 7, std::string("ab\0\xFF", 4));
      std::vector<std::pair<std::size_t, std::int32_t>> expected, found;
      for (std::size_t length = 1; length <= text.size(); ++length) {
        const auto key = std::find(keys.begin(), keys.end(), text.substr(0, length));
        if (key != keys.end()) expected.emplace_back(length, static_cast<std::int32_t>(key - keys.begin()));
      }
      trie.forEachPrefix(text, [&](ByteTrie::Match match) { found.emplace_back(match.bytes, match.value); });
      ASSERT_EQ(found, expected);
      ASSERT_EQ(trie.longestPrefix(text).value, expected.empty() ? -1 : expected.back().second);
    }
  }
}

// Every way to spell `text`, the best score of them; an unknown character costs `unknown`.
double bestScore(std::string_view text, const std::vector<std::string>& pieces,
                 const std::vector<double>& scores, double unknown) {
  if (text.empty()) return 0;
  double best = -1e9;
  bool spelled = false;
  for (std::size_t id = 1; id < pieces.size(); ++id) {
    if (!text.starts_with(pieces[id])) continue;
    spelled = spelled || pieces[id].size() == 1;
    best = std::max(best, scores[id] + bestScore(text.substr(pieces[id].size()), pieces, scores, unknown));
  }
  return spelled ? best : std::max(best, unknown + bestScore(text.substr(1), pieces, scores, unknown));
}

TEST(Unigram, FindsTheBestOfAllSpellings) {
  RandomText random(2);
  const std::vector<std::string> pieces = {"<unk>", "a", "b", "ab", "ba", "aab", "bb", "abab", "cab", "bca"};
  for (int round = 0; round < 400; ++round) {
    std::vector<double> scores;
    for (std::size_t i = 0; i < pieces.size(); ++i) scores.push_back(-random.pick(0, 1000) / 100.0);
    const double unknown = *std::min_element(scores.begin(), scores.end()) - 10;
    const Vocabulary vocabulary = vocabularyOf(pieces);
    const auto model = UnigramModel::create(vocabulary, scores, {.unknown = 0});
    ASSERT_TRUE(model);
    const std::string text = randomWord(random, 11);
    Ids ids;
    ASSERT_TRUE(model->encode(oneWord(text), ids));
    // Put the text together again: an unknown token stands for a run of "c".
    std::string back;
    double score = 0;
    for (const TokenId id : ids) {
      if (id != 0) {
        back += pieces[static_cast<std::size_t>(id)];
        score += scores[static_cast<std::size_t>(id)];
        continue;
      }
      do {
        back += 'c';
        score += unknown;
      } while (text.substr(back.size(), 1) == "c" && !text.substr(back.size()).starts_with("cab"));
    }
    EXPECT_EQ(back, text) << round;
    EXPECT_NEAR(score, bestScore(text, pieces, scores, unknown), 1e-9) << text << ", round " << round;
  }
}

TEST(Unigram, SpellsUnknownRunsInBytesOrNotAtAll) {
  std::vector<std::string> pieces = {"<unk>", "a"};
  for (int byte = 0; byte < 256; ++byte) pieces.push_back(pieceOfByte(static_cast<std::uint8_t>(byte)));
  const Vocabulary vocabulary = vocabularyOf(pieces);
  const std::vector<double> scores(pieces.size(), -1);
  const auto encode = [&](UnigramOptions options, std::string text) -> Result<Ids> {
    TRY_ASSIGN(const UnigramModel model, UnigramModel::create(vocabulary, scores, options));
    Ids ids;
    TRY(model.encode(oneWord(std::move(text)), ids));
    return ids;
  };
  EXPECT_EQ(*encode({.unknown = 0, .byte_fallback = true}, "aéa"), (Ids{1, 2 + 0xC3, 2 + 0xA9, 1}));
  EXPECT_EQ(*encode({.unknown = 0}, "éxaé"), (Ids{0, 1, 0}));
  EXPECT_THAT(encode({}, "aé").error().message, HasSubstr("é"));
  EXPECT_EQ(*encode({}, ""), Ids{});
}

TEST(Unigram, NamesTokensThatCannotBe) {
  const Vocabulary vocabulary = vocabularyOf({"<unk>", "a", std::string(513, 'x')});
  EXPECT_THAT(UnigramModel::create(vocabulary, {0, -1, -1}, {}).error().message,
              HasSubstr("token 2 has 513"));
  EXPECT_THAT(UnigramModel::create(vocabulary, {0, -INFINITY, -1}, {}).error().message, HasSubstr("token 1"));
}

TEST(WordPiece, TakesTheLongestAndGivesUpOnWholeWords) {
  const Vocabulary vocabulary = vocabularyOf({"[UNK]", "un", "##aff", "##able", "##a", "u", "##n", "unaffa"});
  const auto encode = [&](std::string text, std::size_t limit) {
    Ids ids;
    EXPECT_TRUE(WordPieceModel(vocabulary, {.continuing_prefix = "##", .max_word_characters = limit})
                    .encode(oneWord(std::move(text)), ids));
    return ids;
  };
  EXPECT_EQ(encode("unaffable", 0), Ids{0});  // "unaffa" is longest, and "ble" is no token
  EXPECT_EQ(encode("unable", 0), (Ids{1, 3}));
  EXPECT_EQ(encode("unaa", 4), (Ids{1, 4, 4}));
  EXPECT_EQ(encode("unaaa", 4), Ids{0});
  EXPECT_EQ(encode("aff", 0), Ids{0});
  EXPECT_EQ(encode("##aff", 0), Ids{0});
}

TEST(LongestMatch, NamesTheByteThatNoTokenBeginsWith) {
  const LongestMatchModel model({"a", "ab", "abc", "\xC3"});
  Ids ids;
  ASSERT_TRUE(model.encode(oneWord("abaabcab"), ids));
  EXPECT_EQ(ids, (Ids{1, 0, 2, 1}));
  EXPECT_THAT(model.encode(oneWord("aé"), ids).error().message, HasSubstr("<0xA9>"));
}

TEST(LongestMatch, ReadsEscapes) {
  EXPECT_EQ(unescaped(R"(a\t\n\r\x41\xfF\\\'\"é)"), "a\t\n\rA\xFF\\'\"é");
  for (const char* wrong : {"\\", "\\x", "\\x4", "\\xg0", "\\x0g", "a\\x-1", "\\x+1"})
    EXPECT_EQ(unescaped(wrong), std::nullopt) << wrong;
}

TEST(Base64, IsReadWithAndWithoutPadding) {
  EXPECT_EQ(fromBase64(""), "");
  EXPECT_EQ(fromBase64("Zg=="), "f");
  EXPECT_EQ(fromBase64("Zm8="), "fo");
  EXPECT_EQ(fromBase64("Zm9v"), "foo");
  EXPECT_EQ(fromBase64("Zm9vYg"), "foob");
  EXPECT_EQ(fromBase64("+/8="), "\xFB\xFF");
  for (const char* wrong : {"Z", "Zm9vY", "Zm 9", "Z===", "Zm9v!"})
    EXPECT_EQ(fromBase64(wrong), std::nullopt) << wrong;
}

std::string charsmapBytes() {
  std::string bytes;
  const test::Json metadata = test::unigramMetadata();
  for (const auto& byte : metadata["tokenizer.ggml.precompiled_charsmap"])
    bytes.push_back(static_cast<char>(byte.get<int>()));
  return bytes;
}

TEST(Charsmap, ReplacesTheLongestOrByGraphemes) {
  const auto map = Charsmap::create(charsmapBytes());
  ASSERT_TRUE(map) << map.error().describe();
  const auto longest = [&](std::string_view text) {
    return map->apply(text, CharsmapSearch::kLongest, 1000).value();
  };
  const auto graphemes = [&](std::string_view text) {
    return map->apply(text, CharsmapSearch::kGraphemes, 1000).value();
  };
  for (const auto& apply : {std::function<std::string(std::string_view)>(longest), {graphemes}}) {
    EXPECT_EQ(apply("ﬁne ①㎏"), "fine 1kg");
    EXPECT_EQ(apply("a\u0301e\u0308x\u0301"), "áëx\u0301");
    EXPECT_EQ(apply("a\x07\tb"), "a b");
    EXPECT_EQ(apply(""), "");
  }
  EXPECT_EQ(longest("....a"), "….a");  // four graphemes, none of them known
  EXPECT_EQ(graphemes("....a"), "....a");
  EXPECT_THAT(map->apply("½½½½", CharsmapSearch::kLongest, 8).error().message, HasSubstr("more than 8"));
}

TEST(Charsmap, RefusesSizesThatDoNotFit) {
  const std::string good = charsmapBytes();
  EXPECT_FALSE(Charsmap::create(""));
  EXPECT_FALSE(Charsmap::create("abc"));
  EXPECT_FALSE(Charsmap::create(good.substr(0, 100)));
  EXPECT_FALSE(Charsmap::create(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(Charsmap::create(std::string(64, '\xFF')));
  EXPECT_FALSE(Charsmap::create(std::string(64, '\0')));
}

std::string normalizedBy(NormalizerStep step, std::string_view text) {
  return Normalizer({std::move(step)}).apply(text).value_or("error");
}

TEST(Normalizer, DoesWhatBertDoes) {
  using Kind = NormalizerStep::Kind;
  EXPECT_EQ(normalizedBy({.kind = Kind::kCleanText}, std::string("a\0b\uFFFD\t\u00A0\u200Bc\x7F", 15)),
            "ab  c");
  EXPECT_EQ(normalizedBy({.kind = Kind::kSpaceHan}, "a東京bか\U00020000"), "a 東  京 bか \U00020000 ");
  EXPECT_EQ(normalizedBy({.kind = Kind::kMergeSpaces}, "  a   b "), " a b ");
  EXPECT_EQ(normalizedBy({.kind = Kind::kStripSpaces}, "  a  b "), "a  b");
  EXPECT_EQ(normalizedBy({.kind = Kind::kStripSpaces}, "   "), "");
}

}  // namespace
}  // namespace vitrine::core
