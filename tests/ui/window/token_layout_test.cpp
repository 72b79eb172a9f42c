#include "ui/widgets/token_layout.h"

#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QList>

namespace vitrine::ui {
namespace {

// Ten pixels a character, no padding: positions can be counted by hand.
TokenLayout layoutOf(const std::vector<QString>& tokens, int width) {
  TokenLayout layout;
  layout.setMeasure([](const QString& text) { return int(text.toUcs4().size()) * 10; },
                    {.line_height = 24, .box_height = 20, .padding = 0, .gap = 1});
  layout.setWidth(width);
  for (const QString& token : tokens) layout.append({token, true, 0});
  return layout;
}

TEST(TokenLayout, BreaksLinesBetweenTokens) {
  const TokenLayout layout = layoutOf({"aaa", "bb", "cccc", "d"}, 60);
  EXPECT_EQ(layout.lines(), 2);
  EXPECT_EQ(layout.box(0), QRect(0, 2, 30, 20));
  EXPECT_EQ(layout.box(1), QRect(31, 2, 20, 20));
  EXPECT_EQ(layout.box(2), QRect(0, 26, 40, 20));
  EXPECT_EQ(layout.box(3), QRect(41, 26, 10, 20));
  EXPECT_EQ(layout.tokensOfLine(1), (std::pair<std::size_t, std::size_t>(2, 4)));
}

TEST(TokenLayout, ATokenWiderThanTheLineIsClampedToIt) {
  const TokenLayout layout = layoutOf({"a", "bbbbbbbbbbbbbbbbbbbb", "c"}, 60);
  EXPECT_EQ(layout.lines(), 3);
  EXPECT_EQ(layout.box(1).width(), 60);
}

TEST(TokenLayout, AppendingAndRelayingOutAgree) {
  const std::vector<QString> tokens = {
      "The", "·vit", "rine", "日本", "語", "·مرحبا", "·العالم", "·👩‍👩‍👧", "·end", "."};
  for (const int width : {40, 75, 120, 1000}) {
    const TokenLayout appended = layoutOf(tokens, width);
    TokenLayout relaid = layoutOf(tokens, width + 1);
    relaid.setWidth(width);
    ASSERT_EQ(appended.lines(), relaid.lines());
    for (std::size_t i = 0; i < tokens.size(); ++i)
      EXPECT_EQ(appended.box(i), relaid.box(i)) << width << " " << i;
  }
}

TEST(TokenLayout, RightToLeftRunsAreOrderedFromTheRight) {
  // "he" , two Arabic tokens with a comma between them, then "you".
  const TokenLayout layout = layoutOf({"he", "·مرح", ",", "·عالم", "you"}, 1000);
  EXPECT_LT(layout.box(0).left(), layout.box(3).left());
  EXPECT_LT(layout.box(3).left(), layout.box(2).left());
  EXPECT_LT(layout.box(2).left(), layout.box(1).left());
  EXPECT_LT(layout.box(1).left(), layout.box(4).left());
  EXPECT_EQ(layout.box(3).left(), 21);
  EXPECT_EQ(layout.box(1).right() + 2, layout.box(4).left());
}

TEST(TokenLayout, KnowsDirections) {
  EXPECT_EQ(isRightToLeft("·שלום"), true);
  EXPECT_EQ(isRightToLeft("日本"), false);
  EXPECT_EQ(isRightToLeft("12 ,"), std::nullopt);
  EXPECT_EQ(isRightToLeft("⟨E2⟩"), false);
}

TEST(TokenLayout, FindsTheTokenUnderAPoint) {
  const std::vector<QString> tokens = {"aa", "日本", "·مرح", "·عالم", "👍", "ccc"};
  const TokenLayout layout = layoutOf(tokens, 90);
  for (std::size_t i = 0; i < tokens.size(); ++i) EXPECT_EQ(layout.at(layout.box(i).center()), i);
  EXPECT_EQ(layout.at({-1, 5}), std::nullopt);
  EXPECT_EQ(layout.at({5, layout.height() + 1}), std::nullopt);
  EXPECT_EQ(layout.at({89, 5}).has_value(), layout.box(1).right() >= 89);
}

TEST(TokenLayout, TruncatesToAnEarlierState) {
  TokenLayout layout = layoutOf({"aaa", "bb", "cccc", "d"}, 60);
  layout.truncate(2);
  EXPECT_EQ(layout.lines(), 1);
  layout.append({"cccc", false, 0});
  EXPECT_EQ(layout.box(2), QRect(0, 26, 40, 20));
  layout.truncate(0);
  EXPECT_EQ(layout.lines(), 0);
  EXPECT_EQ(layout.at({0, 0}), std::nullopt);
}

TEST(TokenLayout, ThirtyThousandTokensAreLaidOutInAFewFrames) {
  TokenLayout layout = layoutOf({}, 900);
  QElapsedTimer clock;
  clock.start();
  for (int i = 0; i < 32768; ++i) layout.append({i % 7 ? "·word" : "·مرح", true, 0});
  layout.setWidth(700);
  EXPECT_LT(clock.elapsed(), 500);  // some 30 ms; the bound holds on a busy machine
  EXPECT_EQ(layout.size(), 32768u);
}

}  // namespace
}  // namespace vitrine::ui
