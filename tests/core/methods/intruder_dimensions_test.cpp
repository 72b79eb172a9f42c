// Intruders that were planted are found, and the closed forms of their mitigation are those of the matrices
// themselves, decomposed again.
#include "core/spectra/intruder_mitigation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/subspaces.h"

namespace vitrine::test::intruder_dimensions_test {
namespace {

using namespace core;

constexpr double kLambdas[] = {0, 0.25, 0.5, 1};

FullSvd svdOf(const Columns& matrix) {
  auto svd = fullSvd(matrix);
  VITRINE_ASSERT(svd.has_value());
  return std::move(*svd);
}

struct Planted {
  Columns base, tuned, left, right;  // the intruders' vectors
  Eigen::VectorXd strength;
};

// The base has rank 8 in a space of 30; two strong directions outside of it come in.
Planted planted() {
  std::mt19937 random(3);
  const Columns u = orthonormal(30, 10, random), v = orthonormal(20, 10, random);
  Planted p{.base = {}, .tuned = {}, .left = u.rightCols(2), .right = v.rightCols(2), .strength = {}};
  const Eigen::VectorXd sigma = Eigen::VectorXd::LinSpaced(8, 10, 3);
  p.strength = Eigen::Vector2d(12, 6.5);
  p.base = fromSvd(u.leftCols(8), sigma, v.leftCols(8));
  p.tuned = p.base + fromSvd(p.left, p.strength, p.right);
  return p;
}

TEST(IntruderMitigation, FindsWhatWasPlantedAndTakesItAway) {
  const Planted p = planted();
  const FullSvd base = svdOf(p.base), tuned = svdOf(p.tuned);
  const Eigen::VectorXd match = matchOfDirections(base, tuned, 1e-3);
  const Mitigation found =
      mitigateIntruders(tuned, match, p.tuned - p.base, {.k = 10, .epsilon = 0.5}, kLambdas);
  EXPECT_EQ(found.intruders, (std::vector<Eigen::Index>{0, 5}));  // 12, 10, 9, 8, 7, 6.5
  EXPECT_NEAR(found.closest_lambda, 0, 1e-12);
  EXPECT_NEAR(found.change_norm, p.strength.norm(), 1e-12);
  for (std::size_t i = 0; i < std::size(kLambdas); ++i)
    EXPECT_NEAR(found.change[i], kLambdas[i] * p.strength.norm(), 1e-6) << i;
  EXPECT_EQ(found.left, (std::vector<std::size_t>{0, 2, 2, 2}));
  EXPECT_EQ(scaledIntruders(p.tuned, found, 1), p.tuned);
  EXPECT_LT((scaledIntruders(p.tuned, found, 0) - p.base).norm(), 1e-13 * p.base.norm());
}

// Half a lambda puts 12 behind the base's three strongest: no longer among the first three.
TEST(IntruderMitigation, OrdersTheDirectionsAgain) {
  const Planted p = planted();
  const FullSvd tuned = svdOf(p.tuned);
  const Eigen::VectorXd match = matchOfDirections(svdOf(p.base), tuned, 1e-3);
  const Mitigation found =
      mitigateIntruders(tuned, match, p.tuned - p.base, {.k = 3, .epsilon = 0.5}, kLambdas);
  EXPECT_EQ(found.left, (std::vector<std::size_t>{0, 0, 0, 1}));
}

TEST(IntruderMitigation, IsThatOfTheFormedMatrices) {
  const std::vector<FineTune> tunes = hostileTunes();
  for (const FineTune& tune : tunes)
    for (const core::MatrixPair& pair : tune.pairs) {
      const auto loaded = pair.load();
      ASSERT_TRUE(loaded);
      const FullSvd base = svdOf(loaded->base), tuned = svdOf(loaded->tuned);
      const IntruderRule rule{.k = 5, .epsilon = 0.8};
      const Columns change = loaded->tuned - loaded->base;
      const Mitigation found = mitigateIntruders(tuned, matchOfDirections(base, tuned, rule.cluster_width),
                                                 change, rule, kLambdas);
      for (std::size_t i = 0; i < std::size(kLambdas); ++i) {
        Columns scaled = loaded->tuned;
        for (const Eigen::Index j : found.intruders)
          scaled += (kLambdas[i] - 1) * tuned.sigma[j] * tuned.u.col(j) * tuned.v.col(j).transpose();
        EXPECT_NEAR(found.change[i], (scaled - loaded->base).norm(), 1e-6 * loaded->tuned.norm())
            << pair.name;
        EXPECT_LT((scaledIntruders(loaded->tuned, found, kLambdas[i]) - scaled).norm(),
                  1e-13 * loaded->tuned.norm() + 1e-300)
            << pair.name;
        const FullSvd again = svdOf(scaled);
        Eigen::VectorXd match = matchOfDirections(base, again, rule.cluster_width);
        for (Eigen::Index j = 0; j < match.size(); ++j)  // what rounding left of a removed direction
          if (again.sigma[j] < 1e-12 * tuned.sigma[0]) match[j] = 1;
        EXPECT_EQ(found.left[i], std::size_t(intruderCounts(match, {rule.k}, {rule.epsilon})(0, 0)))
            << pair.name << " " << kLambdas[i];
      }
    }
}

TEST(IntruderMitigation, OfNoIntruderChangesNothing) {
  const Columns base = toDouble(gaussian(12, 9, 1));
  const FullSvd svd = svdOf(base), tuned = svdOf(1.1 * base);
  const Mitigation found = mitigateIntruders(tuned, matchOfDirections(svd, tuned, 1e-3), 0.1 * base,
                                             {.k = 9, .epsilon = 0.9}, kLambdas);
  EXPECT_TRUE(found.intruders.empty());
  EXPECT_EQ(found.closest_lambda, 1);
  EXPECT_EQ(scaledIntruders(1.1 * base, found, 0), 1.1 * base);
  for (const double change : found.change) EXPECT_NEAR(change, 0.1 * base.norm(), 1e-12);
}

// What the method prints of the planted pair.
TEST(IntruderDimensions, CountsOverLayers) {
  const Planted p = planted();
  const auto method = core::methods::findAnalysis("intruder-dimensions");
  ASSERT_TRUE(method);
  AnalysisInput input{.model = "base", .parameters = Parameters((*method)->parameters)};
  input.tunes = {
      {"tuned",
       {namedPair("layers.0.a.weight", p.base, p.tuned), namedPair("layers.1.a.weight", p.base, p.base)}}};
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_TRUE(result) << result.error().describe();
  const auto& row = result->tables[0].rows.at(0);
  EXPECT_EQ(std::get<std::int64_t>(row[2]), 2);
  EXPECT_EQ(std::get<std::int64_t>(row[3]), 20);
  EXPECT_EQ(std::get<std::int64_t>(row[4]), 1);
  EXPECT_NEAR(std::get<double>(row[6]), 0, 1e-12);
}

}  // namespace
}  // namespace vitrine::test::intruder_dimensions_test
