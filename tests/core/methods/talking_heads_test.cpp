// Shares and interventions by component are those of the formed products.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/component_channels.h"
#include "core/spectra/composition.h"

namespace vitrine::test::talking_heads_test {
namespace {

using namespace core;

double scoreOf(const Columns& later, const Columns& earlier) {
  return (later * earlier).norm() / (later.norm() * earlier.norm());
}

TEST(ComponentChannels, AreThoseOfTheFormedProducts) {
  const Columns later = toDouble(gaussian(14, 14, 1));
  const LowRankProduct earlier{toDouble(gaussian(14, 4, 2)), toDouble(gaussian(4, 14, 3))};
  const auto svd = productSvd(earlier);
  ASSERT_TRUE(svd);
  Eigen::VectorXd score(4);
  for (Eigen::Index i = 0; i < 4; ++i) score[i] = (later * svd->u.col(i)).norm() / later.norm();
  const ComponentChannel found = componentChannel(svd->sigma, score);
  EXPECT_NEAR(found.share.sum(), 1, 1e-14);
  EXPECT_NEAR(found.energy.sum(), 1, 1e-14);
  const Columns formed = earlier.left * earlier.right;
  for (Eigen::Index i = 0; i < 4; ++i) {
    const Columns part = svd->sigma[i] * svd->u.col(i) * svd->v.col(i).transpose();
    EXPECT_NEAR(found.without[i], scoreOf(later, formed - part), 1e-12);
    EXPECT_NEAR(found.share[i], (later * part).squaredNorm() / (later * formed).squaredNorm(), 1e-12);
  }
}

// A head that reads one direction, which only component 1 writes: without it nothing is heard.
TEST(ComponentChannels, FindAPlantedChannel) {
  std::mt19937 random(5);
  const Columns u = orthonormal(20, 3, random), v = orthonormal(20, 3, random);
  const Columns earlier = fromSvd(u, Eigen::Vector3d(3, 2, 1), v);
  const Columns later = toDouble(gaussian(20, 1, 2)) * u.col(1).transpose();
  Eigen::VectorXd score(3);
  for (Eigen::Index i = 0; i < 3; ++i) score[i] = (later * u.col(i)).norm() / later.norm();
  const ComponentChannel found = componentChannel(Eigen::Vector3d(3, 2, 1), score);
  EXPECT_EQ(found.strongest(), 1);
  EXPECT_NEAR(found.share[1], 1, 1e-12);
  EXPECT_NEAR(found.effective, 1, 1e-9);
  EXPECT_NEAR(found.without[1], 0, 1e-12);
  EXPECT_NEAR(found.without[0], scoreOf(later, earlier - 3 * u.col(0) * v.col(0).transpose()), 1e-12);
}

TEST(ComponentChannels, OfZerosAndOfOneComponent) {
  const ComponentChannel zero = componentChannel(Eigen::Vector2d(0, 0), Eigen::Vector2d(0.5, 0));
  EXPECT_EQ(zero.effective, 0);
  EXPECT_EQ(zero.without.norm(), 0);
  const ComponentChannel one =
      componentChannel(Eigen::VectorXd::Constant(1, 2), Eigen::VectorXd::Constant(1, 0.5));
  EXPECT_EQ(one.share[0], 1);
  EXPECT_EQ(one.without[0], 0);
}

// Every component of a model against every reader, by the formed products.
TEST(ComponentSearch, FindsTheStrongestOfAll) {
  const auto spec = smallSpec();
  const auto found = searchComponents(*spec, 3, 5);
  ASSERT_TRUE(found) << found.error().describe();
  const auto first = LayerFactors::read(*spec, 0, {}), second = LayerFactors::read(*spec, 1, {});
  std::vector<double> all;
  for (std::uint32_t from = 0; from < 6; ++from) {
    const auto svd = productSvd(*first->product(ProductKind::kOv, from));
    for (std::uint32_t to = 0; to < 6; ++to)
      for (const CompositionThrough through :
           {CompositionThrough::kQuery, CompositionThrough::kKey, CompositionThrough::kValue}) {
        const auto read =
            second->product(through == CompositionThrough::kValue ? ProductKind::kOv : ProductKind::kQk, to);
        Columns later = read->left * read->right;
        if (through == CompositionThrough::kQuery) later.transposeInPlace();
        const double d = 48, a = (later.transpose() * later).squaredNorm() / std::pow(later.norm(), 4);
        for (Eigen::Index i = 0; i < 3; ++i) {
          const double score = (later * svd->u.col(i)).norm() / later.norm();
          all.push_back((score * score - 1 / d) / std::sqrt(2 * (d * a - 1) / (d * d * (d + 2))));
        }
      }
  }
  std::ranges::sort(all, std::greater<>());
  EXPECT_EQ(found->scores[0].size() + found->scores[1].size() + found->scores[2].size(), all.size());
  ASSERT_EQ(found->strongest.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(found->strongest[i].z, all[i], 1e-8 * all[i]);
}

// z has mean 0 and deviation 1 over random directions.
TEST(ComponentSearch, ComparesWithRandomDirections) {
  const LowRankProduct later{toDouble(gaussian(10, 3, 1)), toDouble(gaussian(3, 10, 2))};
  const auto reader = readerOf(later);
  ASSERT_TRUE(reader);
  const double d = 10,
               variance = 2 * (d * reader->fourth / std::pow(reader->norm, 4) - 1) / (d * d * (d + 2));
  std::mt19937 random(3);
  double sum = 0, squares = 0;
  constexpr int kDraws = 4'000;
  for (int i = 0; i < kDraws; ++i) {
    const double z = (std::pow(composeComponents(*reader, orthonormal(10, 1, random))[0], 2) - 1 / d) /
                     std::sqrt(variance);
    sum += z / kDraws;
    squares += z * z / kDraws;
  }
  EXPECT_NEAR(sum, 0, 0.07);
  EXPECT_NEAR(squares, 1, 0.1);
}

// The method's table against the products of a model.
TEST(TalkingHeads, ZeroesComponentsOfAModel) {
  const auto method = core::methods::findAnalysis("talking-heads");
  ASSERT_TRUE(method);
  AnalysisInput input{.model = "small", .parameters = Parameters((*method)->parameters)};
  input.spec = smallSpec();
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_TRUE(result) << result.error().describe();
  const auto first = LayerFactors::read(*input.spec, 0, {}), second = LayerFactors::read(*input.spec, 1, {});
  ASSERT_EQ(result->tables[2].rows.size(), 10u);
  for (const auto& row : result->tables[2].rows) {
    const auto headIn = [&](std::size_t c) {
      return std::uint32_t(std::get<std::string>(row[c]).back() - '0');
    };
    const std::string through = std::get<std::string>(row[2]);
    const auto read = second->product(through == "value" ? ProductKind::kOv : ProductKind::kQk, headIn(1));
    Columns later = read->left * read->right;
    if (through == "query") later.transposeInPlace();
    const auto written = first->product(ProductKind::kOv, headIn(0));
    const auto svd = productSvd(*written);
    const auto i = Eigen::Index(std::get<std::int64_t>(row[5]));
    const Columns earlier = written->left * written->right;
    EXPECT_NEAR(std::get<double>(row[3]), scoreOf(later, earlier), 1e-12);
    EXPECT_NEAR(std::get<double>(row[9]),
                scoreOf(later, earlier - svd->sigma[i] * svd->u.col(i) * svd->v.col(i).transpose()), 1e-12);
  }
}

}  // namespace
}  // namespace vitrine::test::talking_heads_test
