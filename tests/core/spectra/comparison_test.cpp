#include "core/spectra/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numbers>

#include "core/spectra/dense_product.h"
#include "core/spectra/spectrum_matrices.h"

namespace vitrine::core::comparison_test {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using testing::DoubleNear;
using testing::Each;

MatrixXd basis(Index rows, Index columns, std::uint32_t seed) {
  std::mt19937 random(seed);
  return test::orthonormal(rows, columns, random);
}

// Sigma 10, 9.8, 9.6 ..
struct Planted {
  MatrixXd u = basis(60, 40, 1), v = basis(50, 40, 2);
  VectorXd sigma = VectorXd::LinSpaced(40, 10, 2.2);
  MatrixXd matrix() const { return test::fromSvd(u, sigma, v); }
};

TEST(Comparison, OfAMatrixWithItselfFindsNothing) {
  const MatrixXd a = Planted().matrix();
  const auto c = compareMatrices(a, a, {.block = 40});
  ASSERT_TRUE(c) << c.error().describe();
  EXPECT_EQ(c->intruders.maxCoeff(), 0);
  EXPECT_EQ(c->intruders_single.maxCoeff(), 0);
  EXPECT_LE((c->phi.diagonal() - VectorXd::Ones(40)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LE((c->similarity - MatrixXd::Identity(40, 40)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_THAT(c->angles, Each(DoubleNear(0, 1e-12)));
  EXPECT_EQ(c->change_norm, 0);
  EXPECT_EQ(c->change_stable_rank, 0);
  EXPECT_EQ(c->change.diagonal_share, 0);
  EXPECT_EQ(toJson(*c)["delta"]["relative"], 0);
}

TEST(Comparison, StopsBetweenDecompositions) {
  const MatrixXd a = Planted().matrix();
  std::stop_source stop;
  EXPECT_TRUE(compareMatrices(a, a, {.stop = stop.get_token()}));
  stop.request_stop();
  const auto stopped = compareMatrices(a, a, {.stop = stop.get_token()});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST(Comparison, FindsPlantedIntruders) {
  Planted planted;
  const MatrixXd base = planted.matrix();
  // Two strong directions that no base direction has: one outside of the base's span altogether, the other
  // spread over twenty of its directions.
  MatrixXd all(60, 41);
  all << planted.u, basis(60, 1, 9);
  const VectorXd outside = (all.col(40) - planted.u * (planted.u.transpose() * all.col(40))).normalized();
  const VectorXd spread = planted.u.rightCols(20).rowwise().sum() / std::sqrt(20.0);
  const MatrixXd ends = basis(50, 2, 11);
  const MatrixXd tuned =
      base + 40 * outside * ends.col(0).transpose() + 30 * spread * ends.col(1).transpose();
  const auto c =
      compareMatrices(base, tuned, {.intruder_k = {1, 2, 10, 40, 51}, .intruder_epsilon = {0.1, 0.5}});
  ASSERT_TRUE(c) << c.error().describe();
  EXPECT_EQ(c->intruder_k, (std::vector<std::size_t>{1, 2, 10, 40}));  // 51 is more than there are
  EXPECT_LT(c->best_match[0], 0.15);
  EXPECT_LT(c->best_match[1], 0.5);
  EXPECT_GT(c->best_match[1], 0.1);
  EXPECT_EQ(c->intruders(1, 0), 1);
  EXPECT_EQ(c->intruders(1, 1), 2);
  EXPECT_EQ(intrudersAt(*c, 2, 0.5), 2);
  EXPECT_LT(c->phi(1, 1), 0.2);
  EXPECT_GT(c->angles.back(), 0.5);
  const auto json = toJson(*c);
  EXPECT_EQ(json["intruders"]["count"][1][1], 2);
  EXPECT_EQ(json["shape"], (nlohmann::json{60, 50}));
}

// Equal values have no directions of their own: turning them makes no intruder, unless clusters are ignored.
TEST(Comparison, TakesARotationInsideOfAClusterForNone) {
  Planted planted;
  planted.sigma.segment(3, 16).setConstant(9);
  const MatrixXd base = planted.matrix();
  planted.u.middleCols(3, 16) *= basis(16, 16, 5);
  planted.sigma.segment(3, 16) += VectorXd::LinSpaced(16, 1e-4, 0);
  const auto c = compareMatrices(base, planted.matrix());
  ASSERT_TRUE(c);
  EXPECT_EQ(intrudersAt(*c, 20, 0.9), 0);
  EXPECT_GT(c->intruders_single.bottomRows(1).maxCoeff(), 0);
  EXPECT_NEAR(c->phi(18, 18), 1, 1e-6);
}

TEST(Comparison, RefusesOtherShapesAndNaN) {
  EXPECT_EQ(compareMatrices(MatrixXd::Ones(2, 3), MatrixXd::Ones(3, 2)).error().code,
            ErrorCode::kInvalidArgument);
  MatrixXd bad = MatrixXd::Ones(2, 3);
  bad(1, 2) = NAN;
  EXPECT_THAT(compareMatrices(MatrixXd::Ones(2, 3), bad).error().describe(), testing::HasSubstr("(1, 2)"));
  EXPECT_TRUE(compareMatrices(MatrixXd::Zero(3, 3), MatrixXd::Identity(3, 3)));
  EXPECT_TRUE(compareMatrices(MatrixXd::Ones(1, 7), MatrixXd::Constant(1, 7, 2)));
}

TEST(ChangeMap, SharesSayWhereTheChangeIs) {
  const Planted planted;
  const auto base = fullSvd(planted.matrix());
  ASSERT_TRUE(base);
  const auto shares = [&](const MatrixXd& d) {
    return changeMap(*base, base->u * d * base->v.transpose(), 10);
  };
  MatrixXd d = MatrixXd::Zero(50, 50);
  d.diagonal().setConstant(2);
  const ChangeMap diagonal = shares(d);
  EXPECT_EQ(diagonal.side, 50u);
  EXPECT_EQ(diagonal.cells, 10u);
  EXPECT_NEAR(diagonal.diagonal_share, 1, 1e-12);
  EXPECT_NEAR(diagonal.corner_share, 0.1, 1e-12);
  EXPECT_NEAR(diagonal.outside_share, 0, 1e-12);
  EXPECT_NEAR(diagonal.largest[0], 2, 1e-6);
  EXPECT_NEAR(diagonal.largest[1], 0, 1e-6);
  d.setZero();
  d(0, 49) = 3;  // one corner of the map
  const ChangeMap far = shares(d);
  EXPECT_NEAR(far.largest[9], 3, 1e-6);
  EXPECT_NEAR(far.band_share, 0, 1e-12);
  d.setZero();
  d(10, 12) = -1;
  EXPECT_NEAR(shares(d).band_share, 1, 1e-12);
  EXPECT_NEAR(shares(d).diagonal_share, 0, 1e-12);
  // What lies outside of the base's directions.
  const VectorXd u = basis(60, 1, 4), inside = base->u * (base->u.transpose() * u);
  const ChangeMap outside = changeMap(*base, (u - inside) * base->v.col(0).transpose(), 10);
  EXPECT_NEAR(outside.outside_share, 1, 1e-12);
}

// Shares of a change without preference are what is expected of one, and the counts behind them exact.
TEST(ChangeMap, ExpectsElementsOverElements) {
  const auto base = fullSvd(toDouble(test::gaussian(40, 40, 1)));
  ASSERT_TRUE(base);
  MatrixXd ones = MatrixXd::Ones(40, 40);
  const ChangeMap map = changeMap(*base, base->u * ones * base->v.transpose(), 40);
  EXPECT_NEAR(map.diagonal_share, map.diagonal_expected, 1e-12);
  EXPECT_NEAR(map.band_share, map.band_expected, 1e-12);
  EXPECT_NEAR(map.corner_share, map.corner_expected, 1e-12);
  EXPECT_EQ(map.band, 2u);
  EXPECT_EQ(map.corner, 4u);
}

TEST(Subspaces, PhiIsItsDefinition) {
  const MatrixXd a = basis(30, 12, 1), b = basis(30, 9, 2);
  const MatrixXd phi = subspaceSimilarity(cosinesOf(a, b), 100);
  ASSERT_EQ(phi.rows(), 12);
  ASSERT_EQ(phi.cols(), 9);
  for (Index i = 1; i <= 12; ++i)
    for (Index j = 1; j <= 9; ++j)
      EXPECT_NEAR(phi(i - 1, j - 1),
                  (a.leftCols(i).transpose() * b.leftCols(j)).squaredNorm() / double(std::min(i, j)), 1e-13);
}

TEST(Subspaces, AnglesAreExactWhetherSmallOrLarge) {
  const MatrixXd all = basis(20, 8, 3);
  const std::vector<double> planted = {1e-9, 1e-4, 0.3, 1.2};
  MatrixXd b(20, 4);
  for (Index i = 0; i < 4; ++i)
    b.col(i) =
        std::cos(planted[std::size_t(i)]) * all.col(i) + std::sin(planted[std::size_t(i)]) * all.col(4 + i);
  const auto angles = principalAngles(all.leftCols(4), b);
  ASSERT_TRUE(angles);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR((*angles)[i], planted[i], 1e-14);
  const auto right = principalAngles(all.leftCols(4), all.rightCols(4));
  ASSERT_TRUE(right);
  EXPECT_THAT(*right, Each(DoubleNear(std::numbers::pi / 2, 1e-14)));
  EXPECT_EQ(principalAngles(all.leftCols(2), all)->size(), 2u);
}

TEST(Subspaces, ClustersAreRunsOfNearEqualValues) {
  VectorXd sigma(7);
  sigma << 5, 4.996, 4.99, 1, 0.9999, 0, 0;
  EXPECT_EQ(clustersOf(sigma, 1e-3), (std::vector<Index>{0, 2, 3, 5, 7}));
  EXPECT_EQ(clustersOf(VectorXd::Zero(3), 1e-3), (std::vector<Index>{0, 3}));
}

}  // namespace
}  // namespace vitrine::core::comparison_test
