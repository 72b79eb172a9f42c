// The spiked law holds on spikes, the free convolution on any spectrum, and m Lanczos steps integrate
// polynomials of degree 2 m - 1 exactly.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/lanczos_quadrature.h"
#include "core/spectra/sketched_factorization.h"
#include "core/spectra/spiked_wigner.h"

namespace vitrine::test::rmt_batch_hessian_lr_test {
namespace {

constexpr std::size_t kSize = 600;

double measuredTop(const std::vector<double>& values, double radius, std::size_t k = 0) {
  const auto found = core::noisyEigenvalues(values, radius, k + 1, 7);
  EXPECT_TRUE(found);
  return (*found)[k];
}

TEST(SpikedWigner, MovesSpikesAsTheLawSays) {
  std::vector<double> values(kSize);
  values[0] = 3;
  values[1] = 2;
  for (const double sigma : {0.0, 0.5, 1.0, 1.5}) {
    // A batch of b: r = sigma sqrt(P / b).
    const double r = core::noiseRadius(sigma, kSize, double(kSize));
    EXPECT_DOUBLE_EQ(r, sigma);
    EXPECT_NEAR(measuredTop(values, r), core::spikedValue(3, r), 0.12) << sigma;
    EXPECT_NEAR(measuredTop(values, r, 1), core::spikedValue(2, r), 0.12) << sigma;
  }
  EXPECT_DOUBLE_EQ(core::spikedValue(3, 1.5), 3.75);
  // The larger the batch, the nearer to l: by 1 / b.
  EXPECT_NEAR((core::spikedValue(3, core::noiseRadius(1, 100, 50)) - 3) /
                  (core::spikedValue(3, core::noiseRadius(1, 100, 100)) - 3),
              2, 1e-12);
}

TEST(SpikedWigner, DrownsSpikesBelowTheRadius) {
  std::vector<double> values(kSize);
  values[0] = 1;
  for (const double r : {1.5, 3.0}) {
    EXPECT_NEAR(measuredTop(values, r) / (2 * r), 1, 0.03) << r;
    EXPECT_DOUBLE_EQ(core::spikedValue(1, r), 2 * r);
    EXPECT_TRUE(std::isnan(core::spikeAboveBulk(values, 0, r)));
    EXPECT_NEAR(core::bulkEdge(values, 1, r), 2 * r, 0.01 * r);
  }
  EXPECT_NEAR(core::spikeAboveBulk(values, 0, 0.5), 1.25, 1e-2);
}

// A bulk from 0 to 1 under a spike at 2: the law of spikes on zeros is wrong, the free convolution is not.
TEST(SpikedWigner, NeedsTheBulkWhereThereIsOne) {
  std::vector<double> values = {2};
  for (std::size_t i = 1; i < kSize; ++i) values.push_back(1 - double(i) / kSize);
  for (const double r : {0.3, 0.6}) {
    const double measured = measuredTop(values, r);
    EXPECT_NEAR(core::spikeAboveBulk(values, 0, r), measured, 0.04) << r;
    EXPECT_GT(std::abs(core::spikedValue(2, r) - measured),
              std::abs(core::spikeAboveBulk(values, 0, r) - measured));
    EXPECT_NEAR(core::bulkEdge(values, 1, r), measuredTop(values, r, 1), 0.05) << r;
  }
}

Columns symmetric(std::uint64_t n) {
  const Columns a = core::toDouble(gaussian(n, n, 3));
  return product(a, a.transpose());
}

TEST(LanczosQuadrature, IntegratesPolynomialsExactly) {
  const Columns a = symmetric(30);
  const Eigen::VectorXd v = core::gaussianSketch(30, 1, 1).normalized();
  const core::Tridiagonal t =
      core::lanczosTridiagonal([&](const auto& x) { return Eigen::VectorXd(a * x); }, v, 6);
  const auto density = core::gaussQuadrature(t, 6);
  ASSERT_TRUE(density);
  Eigen::VectorXd power = v;
  for (int degree = 0; degree <= 12; ++degree) {
    double sum = 0;
    for (std::size_t k = 0; k < 6; ++k) sum += density->weights[k] * std::pow(density->points[k], degree);
    const double exact = v.dot(power), off = std::abs(sum / exact - 1);
    if (degree <= 11)
      EXPECT_LE(off, 1e-10) << degree;
    else
      EXPECT_GE(off, 1e-8) << degree;
    power = a * power;
  }
}

TEST(LanczosQuadrature, AllStepsGiveTheEigenvalues) {
  const Columns a = symmetric(25);
  const auto svd = core::fullSvd(a);
  ASSERT_TRUE(svd);
  const core::Tridiagonal t = core::lanczosTridiagonal([&](const auto& x) { return Eigen::VectorXd(a * x); },
                                                       core::gaussianSketch(25, 1, 1), 40);
  ASSERT_EQ(t.diagonal.size(), 25u);
  const auto density = core::gaussQuadrature(t, 40);
  ASSERT_TRUE(density);
  for (std::size_t k = 0; k < 25; ++k)
    EXPECT_NEAR(density->points[k], svd->sigma[Eigen::Index(24 - k)], 1e-11 * svd->sigma[0]);
  // An invariant subspace ends it: rank 2 and the null space.
  Columns low = Columns::Zero(9, 9);
  low(0, 0) = 3;
  low(4, 4) = 1;
  EXPECT_EQ(core::lanczosTridiagonal([&](const auto& x) { return Eigen::VectorXd(low * x); },
                                     core::gaussianSketch(9, 1, 1), 9)
                .diagonal.size(),
            3u);
}

TEST(PointDensity, DistanceIsHowFarMassMoves) {
  const core::PointDensity a = core::densityOf({0, 1}), b = core::densityOf({3, 2});
  EXPECT_DOUBLE_EQ(core::distanceBetween(a, b), 2);
  EXPECT_DOUBLE_EQ(core::distanceBetween(b, a), 2);
  EXPECT_DOUBLE_EQ(core::distanceBetween(a, a), 0);
  EXPECT_DOUBLE_EQ(core::distanceBetween(a, core::densityOf({0.5})), 0.5);
  const core::PointDensity both = core::averageOf({a, b});
  EXPECT_EQ(both.points, (std::vector<double>{0, 1, 2, 3}));
  EXPECT_DOUBLE_EQ(both.weights[0], 0.25);
}

}  // namespace
}  // namespace vitrine::test::rmt_batch_hessian_lr_test
