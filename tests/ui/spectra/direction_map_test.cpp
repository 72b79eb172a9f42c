#include "ui/views/spectra/direction_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "comparison_reports.h"
#include "ui/views/spectra/comparison_panels.h"

namespace vitrine::ui::spectra {
namespace {

using testing::ElementsAre;

DirectionMap countedMap(std::size_t cells, std::size_t directions) {
  DirectionMap map{.cells = cells, .directions = directions};
  for (std::size_t i = 0; i < cells * cells; ++i) map.values.push_back(float(i));
  return map;
}

TEST(DirectionMapTest, HoldsWhatTheComparisonHas) {
  const auto result = tests::turnedResult("a", 0.02);
  const core::MatrixComparison& c = result.compared->comparison;
  const DirectionMap similarity = directionMap(c, DirectionMapKind::kSimilarity);
  ASSERT_EQ(similarity.cells, 24u);
  EXPECT_FLOAT_EQ(similarity.at(3, 5), float(c.similarity(3, 5)));
  EXPECT_EQ(similarity.range, (Range{0, 1}));
  const DirectionMap phi = directionMap(c, DirectionMapKind::kPhi);
  EXPECT_FLOAT_EQ(phi.at(2, 7), float(c.phi(2, 7)));
  const DirectionMap change = directionMap(c, DirectionMapKind::kChange);
  EXPECT_EQ(change.scale, Scale::kLog);
  EXPECT_FLOAT_EQ(change.at(1, 4), float(c.change.largest[24 + 4] / c.change_norm));
  EXPECT_FLOAT_EQ(float(change.range.high), *std::ranges::max_element(change.values));
  EXPECT_NEAR(change.range.low, 0.1 / 24, 1e-12);
}

TEST(DirectionMapTest, CellsNameTheirDirections) {
  const DirectionMap exact = countedMap(4, 4), shared = countedMap(4, 10);
  EXPECT_EQ(textOf(directionsOf(exact, 2)), "3");
  // Element i lies in cell i * 4 / 10.
  std::vector<std::string> texts;
  for (std::size_t cell = 0; cell < 4; ++cell) texts.push_back(textOf(directionsOf(shared, cell)));
  EXPECT_THAT(texts, ElementsAre("1 – 3", "4 – 5", "6 – 8", "9 – 10"));
  const auto pooledResult = tests::turnedResult("a", 0.02, 24, 10);
  const core::MatrixComparison& c = pooledResult.compared->comparison;
  const DirectionMap change = directionMap(c, DirectionMapKind::kChange);
  ASSERT_EQ(change.cells, 10u);
  EXPECT_EQ(cellTitle(change, 0, 9), "u₀ 1 – 3 · ΔW v₀ 23 – 24");
  EXPECT_EQ(cellFacts(change, c, 0, 9, 0.5).back().value, "3 × 2");
}

TEST(DirectionMapTest, SaysExactValues) {
  const auto result = tests::turnedResult("a", 0.05);
  const core::MatrixComparison& c = result.compared->comparison;
  const DirectionMap similarity = directionMap(c, DirectionMapKind::kSimilarity);
  const auto facts = cellFacts(similarity, c, 20, 21, 0.5);
  EXPECT_EQ(facts[0].value, fmt::format("{:.4f}", double(float(c.similarity(20, 21)))));
  EXPECT_EQ(facts[1].name, "best match of tuned 22");
  EXPECT_EQ(facts[2].value, c.best_match[21] < 0.5 ? "yes" : "no");
  EXPECT_EQ(cellTitle(similarity, 20, 21), "u₀ 21 · u₁ 22");
  const auto random = cellFacts(directionMap(c, DirectionMapKind::kPhi), c, 5, 11, 0.5);
  EXPECT_EQ(random[1].value, "0.5000");  // 12 of 24
}

TEST(DirectionMapTest, NoCellIsLostWhereTheyAreSmall) {
  EXPECT_EQ(poolFor(3), 1u);
  EXPECT_EQ(poolFor(1), 1u);
  EXPECT_EQ(poolFor(0.99), 2u);
  EXPECT_EQ(poolFor(0.3), 4u);
  EXPECT_EQ(poolFor(0), 1u);
  for (double cell = 0.05; cell < 1; cell += 0.03) EXPECT_GE(double(poolFor(cell)) * cell, 1) << cell;
  EXPECT_THAT(pooled(countedMap(3, 3), 2), ElementsAre(4, 5, 7, 8));
  EXPECT_EQ(pooled(countedMap(3, 3), 1), countedMap(3, 3).values);
}

TEST(PictureLayoutTest, AsManyEqualPlacesAsFit) {
  const auto six = pictureLayout({400, 0, 1000, 780}, ComparisonPicture::kAll);
  ASSERT_EQ(six.size(), 6u);
  EXPECT_EQ(six[0].area, (Rect{400, 0, 700, 260}));
  EXPECT_EQ(six[5].picture, ComparisonPicture::kProfile);
  EXPECT_EQ(six[5].area, (Rect{700, 520, 1000, 780}));
  EXPECT_EQ(pictureLayout({0, 0, 300, 780}, ComparisonPicture::kAll).size(), 3u);
  EXPECT_EQ(pictureLayout({0, 0, 500, 200}, ComparisonPicture::kAll).size(), 2u);
  const auto one = pictureLayout({0, 0, 500, 400}, ComparisonPicture::kChange);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].area, (Rect{0, 0, 500, 400}));
  EXPECT_TRUE(pictureLayout({}, ComparisonPicture::kAll).empty());
}

}  // namespace
}  // namespace vitrine::ui::spectra
