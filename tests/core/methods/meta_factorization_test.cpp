// A = (A Y)(X^T A Y)^+ (X^T A) exactly where rank(X^T A Y) = rank(A), and not where it is less; the same form
// inverts; no approximation beats the truncated SVD.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/dense_product.h"
#include "core/spectra/energy_curve.h"
#include "core/spectra/sketched_factorization.h"

namespace vitrine::test::meta_factorization_test {
namespace {

using core::multiply;
using core::Side;

constexpr Eigen::Index kRank = 6;

// (40, 30) of rank 6.
Columns ofRankSix() {
  std::mt19937 random(3);
  const Eigen::VectorXd sigma = Eigen::VectorXd::LinSpaced(kRank, 9, 2);
  return orthonormal(40, kRank, random) * sigma.asDiagonal() * orthonormal(30, kRank, random).transpose();
}

double errorOf(const Columns& a, const Columns& x, const Columns& y) {
  const auto factors = core::metaFactorization(multiply(a, y), multiply(x, multiply(a, y), Side::kTransposed),
                                               multiply(x, a, Side::kTransposed));
  EXPECT_TRUE(factors);
  return core::relativeError(a, *factors);
}

TEST(MetaFactorization, IsExactWhereTheCoreHasTheRank) {
  const Columns a = ofRankSix();
  for (const Eigen::Index k : {Eigen::Index{6}, Eigen::Index{9}})
    EXPECT_LE(errorOf(a, core::gaussianSketch(40, k + 2, 1), core::gaussianSketch(30, k, 2)), 1e-11) << k;
  // One less, or a Y that misses a direction of A's rows.
  EXPECT_GE(errorOf(a, core::gaussianSketch(40, 8, 1), core::gaussianSketch(30, 5, 2)), 1e-2);
  const auto svd = core::fullSvd(a);
  ASSERT_TRUE(svd);
  const Columns blind = svd->v.middleCols(1, kRank - 1);
  EXPECT_NEAR(errorOf(a, core::gaussianSketch(40, 8, 1), blind), svd->sigma[0] / a.norm(), 0.2);
}

TEST(MetaFactorization, EveryFormOfItIsExactAtTheRank) {
  const Columns a = ofRankSix();
  EXPECT_LE(core::relativeError(a, *core::randomizedSvd(a, kRank, 0, 0, 1)), 1e-12);
  EXPECT_LE(core::relativeError(a, *core::generalizedNystroem(a, kRank, 4, 1)), 1e-11);
  const core::CurChoice choice = core::curChoice(a, kRank, 4, 1);
  const auto cur = core::curFactors(a, choice);
  EXPECT_LE(core::relativeError(a, *cur), 1e-12);
  EXPECT_EQ(std::set(choice.columns.begin(), choice.columns.end()).size(), std::size_t(kRank));
  EXPECT_EQ(std::set(choice.rows.begin(), choice.rows.end()).size(), std::size_t(kRank));
  // Its factors are A's own columns, and on the picked rows it is A itself.
  EXPECT_EQ(cur->left, Columns(a(Eigen::all, choice.columns)));
}

TEST(MetaFactorization, NoneBeatsTheTruncatedSvdAndPowerHelps) {
  std::mt19937 random(3);
  Eigen::VectorXd sigma(40);
  for (Eigen::Index i = 0; i < 40; ++i) sigma[i] = 1 / std::sqrt(1.0 + double(i));
  const Columns a =
      orthonormal(60, 40, random) * sigma.asDiagonal() * orthonormal(50, 40, random).transpose();
  const std::vector<double> values(sigma.data(), sigma.data() + 40);
  for (const Eigen::Index k : {1, 5, 20}) {
    const double best = core::truncationError(values, std::size_t(k)) * (1 - 1e-12);
    const double once = core::relativeError(a, *core::randomizedSvd(a, k, 4, 0, 1));
    const double powered = core::relativeError(a, *core::randomizedSvd(a, k, 4, 4, 1));
    EXPECT_GE(once, best);
    EXPECT_GE(powered, best);
    EXPECT_LT(powered, once);
    EXPECT_LE(powered, 1.01 * best);
    EXPECT_GE(core::relativeError(a, *core::generalizedNystroem(a, k, 4, 1)), best);
    const core::CurChoice choice = core::curChoice(a, k, 4, 1);
    const double projected = core::relativeError(a, core::curProjection(a, choice));
    EXPECT_GE(projected, best);
    EXPECT_LE(projected, core::relativeError(a, *core::curFactors(a, choice)));
    EXPECT_LT(projected, 1);
  }
}

TEST(MetaFactorization, InvertsInTheSameForm) {
  const Columns a = ofRankSix();
  const auto g = core::generalizedInverse(a, core::gaussianSketch(40, 8, 1), core::gaussianSketch(30, 7, 2));
  ASSERT_TRUE(g);
  EXPECT_LE((multiply(multiply(a, *g), a) - a).norm(), 1e-10 * a.norm());
  EXPECT_GT((multiply(a, *g) - multiply(a, *g).transpose()).norm(), 1e-3);  // not Moore and Penrose's
  // X that spans A's columns and Y that spans its rows give that one.
  const auto penrose = core::generalizedInverse(a, a, a.transpose());
  ASSERT_TRUE(penrose);
  EXPECT_LE((*penrose - *core::pseudoInverse(a)).norm(), 1e-11);
  EXPECT_LE((multiply(a, *penrose) - multiply(a, *penrose).transpose()).norm(), 1e-11);
}

// One column a thousand times the others, one row likewise: CUR picks both first.
TEST(Cur, PicksOutliersFirst) {
  Columns a = core::toDouble(gaussian(50, 40, 5));
  a.col(17) *= 1e3;
  a.row(31) *= 1e3;
  const core::CurChoice choice = core::curChoice(a, 4, 4, 1);
  EXPECT_EQ(choice.columns[0], 17);
  EXPECT_EQ(choice.rows[0], 31);
}

}  // namespace
}  // namespace vitrine::test::meta_factorization_test
