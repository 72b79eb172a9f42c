// A pure singular-value adaptation has nothing off the diagonal and its shifts are read back exactly.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/base_coordinates.h"

namespace vitrine::test::clip_svd_test {
namespace {

using namespace core;

TEST(SingularValueShift, OfAPureAdaptationIsAllOfIt) {
  for (const auto& [m, n] : {std::pair{16, 16}, {13, 21}, {25, 8}, {1, 9}}) {
    const Columns base = toDouble(gaussian(std::uint64_t(m), std::uint64_t(n), 2));
    const auto svd = fullSvd(base);
    ASSERT_TRUE(svd);
    // Large enough to change the order and a sign.
    Eigen::VectorXd shift = Eigen::VectorXd::LinSpaced(svd->sigma.size(), -1.5, 2);
    shift[0] = -2 * svd->sigma[0];
    const Columns change = fromSvd(svd->u, shift, svd->v);
    const SingularValueShift found = singularValueShift(*svd, change);
    EXPECT_LT((found.shift - shift).norm(), 1e-12 * shift.norm());
    EXPECT_LT(found.off_diagonal, 1e-13);
    EXPECT_LT(found.unexplained, 1e-7);
  }
}

TEST(SingularValueShift, OfATurnOfDirectionsIsNone) {
  std::mt19937 random(4);
  const Columns u = orthonormal(12, 4, random), v = orthonormal(12, 4, random);
  const Columns base = fromSvd(u, Eigen::Vector4d(4, 3, 2, 1), v);
  const auto svd = fullSvd(base);
  ASSERT_TRUE(svd);
  // Between two different directions of the base: a single element off the diagonal.
  const Columns change = 0.5 * svd->u.col(0) * svd->v.col(2).transpose();
  const SingularValueShift found = singularValueShift(*svd, change);
  EXPECT_LT(found.shift.norm(), 1e-13);
  EXPECT_NEAR(found.unexplained, 1, 1e-12);
  EXPECT_NEAR(found.off_diagonal, 0.5 / std::hypot(std::sqrt(30.0), 0.5), 1e-12);
}

TEST(SingularValueShift, SplitsTheEnergyOfAnyChange) {
  for (const FineTune& tune : hostileTunes())
    for (const MatrixPair& pair : tune.pairs) {
      const auto loaded = pair.load();
      const auto svd = fullSvd(loaded->base);
      ASSERT_TRUE(loaded && svd);
      const Columns change = loaded->tuned - loaded->base;
      const SingularValueShift found = singularValueShift(*svd, change);
      const Columns rest = change - fromSvd(svd->u, found.shift, svd->v);
      EXPECT_NEAR(found.unexplained, rest.norm() / change.norm(), 1e-7) << pair.name;
    }
}

TEST(SingularValueShift, OfNoChangeIsZero) {
  const Columns base = Columns::Zero(5, 3);
  const auto svd = fullSvd(base);
  ASSERT_TRUE(svd);
  const SingularValueShift found = singularValueShift(*svd, base);
  EXPECT_EQ(found.shift.norm(), 0);
  EXPECT_EQ(found.off_diagonal, 0);
  EXPECT_EQ(found.unexplained, 0);
}

}  // namespace
}  // namespace vitrine::test::clip_svd_test
