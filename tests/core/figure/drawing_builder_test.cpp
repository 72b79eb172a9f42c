#include "core/figure/drawing_builder.h"

#include <gtest/gtest.h>

#include "core/figure/clip.h"
#include "core/figure/figure_fixtures.h"

namespace vitrine::core {
namespace {

using testing::FixedMeasure;

TEST(ElideMiddle, KeepsBothEndsWithinTheWidth) {
  FixedMeasure measure;
  TextFont font = {FontRole::kMono, 10};  // 6 points a character
  EXPECT_EQ(elideMiddle("short", font, 30, measure), "short");
  EXPECT_EQ(elideMiddle("abcdefghij", font, 30, measure), "ab…ij");
  EXPECT_EQ(elideMiddle("吾輩は猫である", font, 30, measure), "吾輩…ある");
  EXPECT_EQ(elideMiddle("abc", font, 1, measure), "…");
}

TEST(ElideMiddle, NeverCutsAGraphemeCluster) {
  FixedMeasure measure;
  std::string e_acute = "e\u0301";  // two code points, one letter
  std::string text;
  for (int i = 0; i < 6; ++i) text += e_acute;
  std::string shorter = elideMiddle(text, {FontRole::kMono, 10}, 34, measure);
  EXPECT_EQ(shorter, "e\u0301…e\u0301");
}

TEST(WrapText, BreaksAtSpaces) {
  FixedMeasure measure;
  EXPECT_EQ(wrapText("one two three", {FontRole::kSans, 10}, 45, measure),
            (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapText("unbreakable", {FontRole::kSans, 10}, 5, measure),
            (std::vector<std::string>{"unbreakable"}));
  EXPECT_TRUE(wrapText("", {FontRole::kSans, 10}, 5, measure).empty());
}

TEST(Builder, AlignsTextByItsBox) {
  FixedMeasure measure;
  DrawingBuilder out(measure);
  out.text("abcd", {100, 50}, {FontRole::kSans, 10}, {}, HorizontalAlign::kRight, VerticalAlign::kTop);
  EXPECT_NEAR(out.bounds().right(), 100, 1e-9);
  EXPECT_NEAR(out.bounds().y, 50, 1e-9);
  DrawingBuilder turned(measure);
  turned.verticalText("abcd", {100, 50}, {FontRole::kSans, 10}, {}, HorizontalAlign::kLeft,
                      VerticalAlign::kTop);
  EXPECT_NEAR(turned.bounds().x, 100, 1e-9);
  EXPECT_NEAR(turned.bounds().y, 50, 1e-9);
  EXPECT_NEAR(turned.bounds().height, 24, 1e-9);
}

TEST(Clip, LinesAreCutAtTheBoxAndBrokenAtNan) {
  Rect box = {0, 0, 10, 10};
  auto pieces = clipPolyline({{-5, 5}, {5, 5}, {5, 20}, {8, 20}, {8, 5}}, box);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].size(), 3u);
  EXPECT_EQ(pieces[0].front().x, 0);
  EXPECT_EQ(pieces[0].back().y, 10);
  EXPECT_EQ(pieces[1].front().y, 10);
  EXPECT_EQ(clipPolyline({{1, 1}, {2, std::nan("")}, {3, 3}, {4, 4}}, box).size(), 1u);
  EXPECT_TRUE(clipPolyline({{-5, -5}, {-1, -9}}, box).empty());
}

TEST(Clip, PolygonsKeepTheirInside) {
  std::vector<Point> cut = clipPolygon({{-10, -10}, {20, -10}, {20, 20}, {-10, 20}}, {0, 0, 10, 10});
  ASSERT_EQ(cut.size(), 4u);
  for (Point p : cut) EXPECT_TRUE(contains({0, 0, 10, 10}, p));
  EXPECT_TRUE(clipPolygon({{20, 20}, {30, 20}, {30, 30}}, {0, 0, 10, 10}).empty());
}

}  // namespace
}  // namespace vitrine::core
