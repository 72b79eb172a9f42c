// The bounds hold, fall, and converge as the paper says: the error in the exponent halves with each product.
#include "core/spectra/gram_iteration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"

namespace vitrine::test::gram_iteration_test {
namespace {

double largestOf(const Columns& matrix) {
  const auto svd = core::fullSvd(matrix);
  VITRINE_ASSERT(svd.has_value());
  return svd->sigma[0];
}

TEST(GramIteration, BoundsFromAboveAndFalls) {
  for (const DenseMatrix& dense : hostileMatrices()) {
    const Columns matrix = core::toDouble(dense);
    const double s1 = largestOf(matrix);
    const auto bounds = core::gramIterationBounds(matrix, 12);
    ASSERT_EQ(bounds.size(), 13u);
    EXPECT_DOUBLE_EQ(bounds[0], matrix.norm());
    for (std::size_t t = 0; t < bounds.size(); ++t) {
      EXPECT_GE(bounds[t], s1 * (1 - 1e-12)) << t;
      EXPECT_LE(bounds[t], bounds[t == 0 ? 0 : t - 1] * (1 + 1e-12)) << t;
    }
    EXPECT_LE(bounds.back(), s1 * (1 + 1e-2));
  }
}

// With k equal largest values among zeros the bound after t products is k^(1 / 2^(t + 1)) s1 exactly.
TEST(GramIteration, HasItsClosedForm) {
  const Columns matrix = core::toDouble(withSigma(20, 15, Eigen::VectorXd::Constant(5, 3.0)));
  const double s1 = largestOf(matrix);
  const auto bounds = core::gramIterationBounds(matrix, 6);
  for (std::size_t t = 0; t < bounds.size(); ++t)
    EXPECT_NEAR(bounds[t], s1 * std::pow(5.0, std::ldexp(1.0, -int(t) - 1)), 1e-6 * s1) << t;
}

TEST(GramIteration, NeitherOverflowsNorUnderflows) {
  for (const double scale : {1e-150, 1e150}) {
    const Columns matrix = scale * core::toDouble(gaussian(9, 14));
    const auto bounds = core::gramIterationBounds(matrix, 20);
    EXPECT_NEAR(bounds.back() / largestOf(matrix), 1, 1e-5);
  }
}

TEST(PowerIteration, BoundsFromBelowAndRises) {
  for (const DenseMatrix& dense : hostileMatrices()) {
    const Columns matrix = core::toDouble(dense);
    const auto bounds = core::powerIterationBounds(matrix, 12);
    for (std::size_t t = 1; t < bounds.size(); ++t) EXPECT_GE(bounds[t], bounds[t - 1] * (1 - 1e-12)) << t;
    EXPECT_LE(bounds.back(), largestOf(matrix) * (1 + 1e-12));
  }
}

}  // namespace
}  // namespace vitrine::test::gram_iteration_test
