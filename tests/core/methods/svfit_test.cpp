// Only the first singular values change: the rest of the matrix, and every vector, stay.
#include <gtest/gtest.h>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/energy_curve.h"
#include "core/spectra/metrics.h"
#include "core/spectra/singular_value_adapter.h"

namespace vitrine::test::svfit_test {
namespace {

TEST(SingularValueAdapter, StartsAtTheMatrixAndSetsItsValues) {
  for (const DenseMatrix& dense : hostileMatrices()) {
    const Columns matrix = core::toDouble(dense);
    const auto adapter = core::singularValueAdapter(matrix, 0.9);
    ASSERT_TRUE(adapter);
    EXPECT_LE((adapter->merged(adapter->sigma) - matrix).norm(), 1e-13 * matrix.norm());
  }
  const Columns matrix = core::toDouble(gaussian(15, 10, 1));
  const auto adapter = core::singularValueAdapter(matrix, 0.7);
  ASSERT_TRUE(adapter);
  const Eigen::Index r = adapter->sigma.size();
  ASSERT_LT(r, 10);
  Eigen::VectorXd wanted = Eigen::VectorXd::LinSpaced(r, 30, 20);
  const auto svd = core::fullSvd(adapter->merged(wanted)), before = core::fullSvd(matrix);
  ASSERT_TRUE(svd && before);
  EXPECT_LE((svd->sigma.head(r) - wanted).norm(), 1e-12);
  EXPECT_LE((svd->sigma.tail(10 - r) - before->sigma.tail(10 - r)).norm(), 1e-12);
  EXPECT_LE((svd->u.leftCols(r) - before->u.leftCols(r)).norm(), 1e-11);
}

TEST(SingularValueAdapter, ComesAsNearAsADiagonalCan) {
  const Columns matrix = core::toDouble(gaussian(15, 10, 1)), aim = core::toDouble(gaussian(15, 10, 2));
  const auto adapter = core::singularValueAdapter(matrix, 0.7);
  ASSERT_TRUE(adapter);
  EXPECT_LE((adapter->nearest(matrix) - adapter->sigma).norm(), 1e-12);
  const Eigen::VectorXd best = adapter->nearest(aim);
  const double error = (adapter->merged(best) - aim).norm();
  for (Eigen::Index k = 0; k < best.size(); ++k)
    for (const double step : {-1e-3, 1e-3}) {
      Eigen::VectorXd other = best;
      other[k] += step;
      EXPECT_GT((adapter->merged(other) - aim).norm(), error);
    }
}

// s_i^2 = 1 / 2^i: 99 % lie in seven values whatever the size. And the metrics' rank is the same.
TEST(Svfit, FindsTheRankOfAKnownDecay) {
  Eigen::VectorXd sigma(30);
  for (Eigen::Index i = 0; i < 30; ++i) sigma[i] = std::pow(2.0, -0.5 * double(i));
  const auto method = core::methods::findAnalysis("svfit");
  ASSERT_TRUE(method);
  AnalysisInput input{.model = "decay", .parameters = Parameters((*method)->parameters)};
  input.matrices.push_back(namedMatrix("layers.0.w", withSigma(40, 30, sigma)));
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_TRUE(result) << result.error().describe();
  const auto& row = result->tables[0].rows[0];
  EXPECT_EQ(std::get<std::int64_t>(row[2]), 7);
  EXPECT_GT(std::get<double>(row[4]), 20);  // shuffled elements: noise
  EXPECT_NEAR(std::get<double>(row[5]), 100 * std::pow(2.0, -7), 1e-4);
  EXPECT_EQ(std::get<std::int64_t>(row[6]), 8 * 70);
  const std::vector<double> values(sigma.data(), sigma.data() + sigma.size());
  EXPECT_EQ(core::spectrumMetrics(values, 0).energy_rank[2], core::energyRank(values, 0.99));
}

}  // namespace
}  // namespace vitrine::test::svfit_test
