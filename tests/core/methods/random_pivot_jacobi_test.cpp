// Jacobi by any order of pairs ends at the SVD, triangular factors at the QR; random pairs lower the mass off
// the diagonal at the expected rate; both kinds of factor lower the Hadamard ratio by one law.
#include <gtest/gtest.h>

#include <Eigen/QR>
#include <cmath>
#include <set>

#include "core/methods/analysis_fixtures.h"
#include "core/methods/support/triangular_block.h"
#include "core/spectra/jacobi_sweeps.h"

namespace vitrine::test::random_pivot_jacobi_test {
namespace {

using core::JacobiOptions;
using core::PairFactor;
using core::PivotRule;

Columns matrixOf(std::uint64_t n, std::uint32_t seed = 1) {
  return core::toDouble(gaussian(n + 5, n, seed));
}

TEST(JacobiSweeps, EndAtTheSvdInEveryOrder) {
  for (const std::uint64_t n : {1u, 2u, 7u, 16u}) {
    const Columns a = matrixOf(n);
    const auto svd = core::fullSvd(a);
    ASSERT_TRUE(svd);
    for (const PivotRule rule : core::kPivotRules)
      for (const core::RotationForm form : core::kRotationForms) {
        const auto history = core::jacobiSweeps<double>(a, {.rule = rule, .form = form, .sweeps = 80});
        EXPECT_LE(history.off.back(), 1e-28) << core::name(rule) << " " << n;
        for (std::size_t k = 0; k < n; ++k)
          EXPECT_NEAR(history.sigma[k], svd->sigma[Eigen::Index(k)], 1e-12) << core::name(rule);
        EXPECT_EQ(history.off.size(), 81u);
      }
  }
}

// What a rotation takes away is 2 g^2 exactly, so that the mean over all pairs is off^2 / (n (n - 1) / 2).
TEST(JacobiSweeps, RandomPairsHaveTheExpectedRate) {
  constexpr std::uint64_t kColumns = 12;
  double one = 0, disjoint = 0;
  constexpr int kRuns = 400;
  for (int run = 0; run < kRuns; ++run) {
    const Columns a = matrixOf(kColumns, 3);
    const auto off = [&](PivotRule rule) {
      const auto history =
          core::jacobiSweeps<double>(a, {.rule = rule, .sweeps = 1, .seed = std::uint64_t(run)});
      return history.off[1] / history.off[0] / kRuns;
    };
    one += off(PivotRule::kRandom);
    disjoint += off(PivotRule::kRandomDisjoint);
  }
  constexpr double kPairs = kColumns * (kColumns - 1) / 2.0;
  EXPECT_NEAR(one, std::pow(1 - 1 / kPairs, kPairs), 0.02);
  // A round of disjoint pairs takes away 1 / (n - 1) in the mean.
  EXPECT_NEAR(disjoint, std::pow(1 - 1.0 / (kColumns - 1), kColumns - 1), 0.02);
}

TEST(JacobiSweeps, TriangularFactorsEndAtTheQr) {
  const Columns a = matrixOf(9);
  const Columns r = Eigen::HouseholderQR<Columns>(a).matrixQR().topRows(9).triangularView<Eigen::Upper>();
  for (const PivotRule rule : core::kPivotRules) {
    if (rule == PivotRule::kGreedy) continue;  // it may take a pair again and again while others wait
    const auto history =
        core::jacobiSweeps<double>(a, {.rule = rule, .factor = PairFactor::kTriangular, .sweeps = 80});
    EXPECT_LE(history.off.back(), 1e-24) << core::name(rule);
    for (Eigen::Index j = 0; j < 9; ++j) {
      EXPECT_NEAR(history.columns.col(j).norm(), std::abs(r(j, j)), 1e-11) << core::name(rule);
      // Orthogonal to the columns of a before it: Gram and Schmidt's vector.
      EXPECT_LE((a.leftCols(j).transpose() * history.columns.col(j)).norm(), 1e-10) << core::name(rule);
    }
  }
  // In Gram and Schmidt's order one sweep does.
  const auto once = core::jacobiSweeps<double>(a, {.factor = PairFactor::kTriangular, .sweeps = 1});
  EXPECT_LE(once.off.back(), 1e-26);
  EXPECT_GE(core::jacobiSweeps<double>(a, {.sweeps = 1}).off.back(), 1e-6);
}

// With two columns one pair is a sweep: det / prod |A_i|^2 = 1 - cos^2 before, 1 after, by either factor.
// With more, neither ever raises it.
TEST(JacobiSweeps, BothFactorsLowerTheHadamardRatioByOneLaw) {
  const Columns pair = matrixOf(2);
  const double cosine = pair.col(0).dot(pair.col(1)) / pair.col(0).norm() / pair.col(1).norm();
  for (const PairFactor factor : {PairFactor::kRotation, PairFactor::kTriangular}) {
    const auto history = core::jacobiSweeps<double>(pair, {.factor = factor, .sweeps = 1});
    EXPECT_NEAR(history.potential[0], -std::log1p(-cosine * cosine), 1e-12);
    EXPECT_NEAR(history.potential[1], 0, 1e-14);
    const auto many = core::jacobiSweeps<double>(
        matrixOf(14), {.rule = PivotRule::kRandom, .factor = factor, .sweeps = 60, .seed = 3});
    for (std::size_t t = 1; t < many.potential.size(); ++t)
      EXPECT_LE(many.potential[t], many.potential[t - 1] + 1e-13) << t;
    EXPECT_LE(many.potential.back(), 1e-12);
  }
  Columns dependent = matrixOf(4);
  dependent.col(2) = dependent.col(0);
  EXPECT_FALSE(std::isfinite(core::jacobiSweeps<double>(dependent, {.sweeps = 1}).potential[0]));
}

TEST(DisjointPairs, AreDisjointAndEven) {
  for (const std::uint32_t n : {1u, 2u, 9u, 10u}) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    for (const auto& round : core::disjointPairs(n, 300, 5)) {
      EXPECT_EQ(round.size(), n / 2);
      std::set<std::uint32_t> columns;
      for (const auto& [i, j] : round) {
        EXPECT_LT(i, j);
        EXPECT_LT(j, n);
        columns.insert({i, j});
        seen.insert({i, j});
      }
      EXPECT_EQ(columns.size(), n / 2 * 2);
    }
    EXPECT_EQ(seen.size(), n * (n - 1) / 2);
  }
}

TEST(RoundRobinPairs, HaveEachPairOnce) {
  for (const std::uint32_t n : {1u, 2u, 9u, 10u}) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    std::size_t count = 0;
    for (const auto& round : core::roundRobinPairs(n)) {
      EXPECT_EQ(round.size(), n / 2);
      std::set<std::uint32_t> columns;
      for (const auto& [i, j] : round) {
        EXPECT_LT(i, j);
        EXPECT_LT(j, n);
        columns.insert({i, j});
        seen.insert({i, j});
        ++count;
      }
      EXPECT_EQ(columns.size(), n / 2 * 2);
    }
    EXPECT_EQ(seen.size(), n * (n - 1) / 2);
    EXPECT_EQ(count, seen.size());
  }
}

TEST(TriangularBlock, HasTheMatrixsSingularValues) {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{40, 12}, {12, 40}, {1, 5}}) {
    const DenseMatrix matrix = gaussian(rows, columns);
    const Eigen::MatrixXf r = core::methods::triangularBlock(matrix, 64, 0);
    EXPECT_GE(r.cwiseAbs().maxCoeff(), 0.5f);
    EXPECT_LT(r.cwiseAbs().maxCoeff(), 1.0f);
    const auto expected = referenceSigma(matrix);
    const auto found = core::fullSvd(Columns(r.cast<double>()));
    ASSERT_TRUE(found);
    const double scale = expected[0] / found->sigma[0];
    EXPECT_NEAR(std::log2(scale), std::round(std::log2(scale)), 1e-6);
    for (std::size_t k = 0; k < expected.size(); ++k)
      EXPECT_NEAR(found->sigma[Eigen::Index(k)] * scale, expected[k], 1e-6 * expected[0]);
  }
}

}  // namespace
}  // namespace vitrine::test::random_pivot_jacobi_test
