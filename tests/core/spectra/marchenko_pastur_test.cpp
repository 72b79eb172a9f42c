#include "core/spectra/marchenko_pastur.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <vector>

namespace vitrine::core::marchenko_pastur {
namespace {

// Descending singular values whose lambda = s^2 / m are the law's quantiles at (i + 1/2) / count.
std::vector<double> quantileGrid(const MarchenkoPasturLaw& law, std::size_t count, std::size_t long_side) {
  std::vector<double> sigma;
  for (std::size_t i = count; i-- > 0;) {
    double share = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    sigma.push_back(std::sqrt(law.quantile(share) * static_cast<double>(long_side)));
  }
  return sigma;
}

std::vector<double> singularValues(const Eigen::MatrixXd& a) {
  Eigen::VectorXd squares =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(a * a.transpose(), Eigen::EigenvaluesOnly).eigenvalues();
  std::vector<double> sigma;
  for (Eigen::Index i = squares.size(); i-- > 0;) sigma.push_back(std::sqrt(std::max(squares[i], 0.0)));
  return sigma;
}

Eigen::MatrixXd gaussian(Eigen::Index rows, Eigen::Index columns, unsigned seed, double deviation = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, deviation);
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(random); });
}

// The integral of lambda^power density, by the midpoint rule in the angle between the edges: the density's
// pole at 0 for a square matrix vanishes there.
double moment(const MarchenkoPasturLaw& law, int power, double up_to) {
  constexpr int kSteps = 20000;
  double half_width = (law.upper() - law.lower()) / 2;
  double last = std::acos(std::clamp(1 - (up_to - law.lower()) / half_width, -1.0, 1.0));
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    double t = (i + 0.5) / kSteps * last;
    double lambda = law.lower() + half_width * (1 - std::cos(t));
    sum += std::pow(lambda, power) * law.density(lambda) * half_width * std::sin(t) * last / kSteps;
  }
  return sum;
}

TEST(MarchenkoPasturLaw, HasTheKnownMoments) {
  for (double ratio : {0.001, 0.1, 0.5, 0.97, 1.0}) {
    MarchenkoPasturLaw law = {2.5, ratio};
    EXPECT_NEAR(moment(law, 0, law.upper()), 1, 1e-7);
    EXPECT_NEAR(moment(law, 1, law.upper()), 2.5, 1e-6);
    EXPECT_NEAR(moment(law, 2, law.upper()), 2.5 * 2.5 * (1 + ratio), 1e-5);
  }
}

TEST(MarchenkoPasturLaw, CdfIsTheDensitysIntegral) {
  for (double ratio : {0.001, 0.1, 0.5, 0.97, 1.0}) {
    MarchenkoPasturLaw law = {0.3, ratio};
    for (double place : {0.01, 0.2, 0.5, 0.8, 0.99}) {
      double lambda = law.lower() + place * (law.upper() - law.lower());
      EXPECT_NEAR(law.cdf(lambda), moment(law, 0, lambda), 1e-7) << ratio << " " << place;
    }
    EXPECT_EQ(law.cdf(law.lower() - 0.1), 0);
    EXPECT_EQ(law.cdf(law.upper()), 1);
    EXPECT_EQ(law.density(law.upper() + 0.1), 0);
    EXPECT_EQ(law.density(-1), 0);
  }
}

TEST(MarchenkoPasturLaw, SquareMatricesGiveTheQuarterCircle) {
  // s / sqrt(m) has the density sqrt(4 - s^2) / pi on [0, 2], whose integral is known.
  MarchenkoPasturLaw law = {1, 1};
  for (double s : {1e-6, 0.1, 1.0, 1.7, 1.999}) {
    double expected = (s * std::sqrt(4 - s * s) / 2 + 2 * std::asin(s / 2)) / std::numbers::pi;
    EXPECT_NEAR(law.cdf(s * s), expected, 1e-12);
  }
}

TEST(MarchenkoPasturLaw, QuantileInvertsCdf) {
  for (double ratio : {0.001, 0.3, 0.999, 1.0}) {
    MarchenkoPasturLaw law = {7, ratio};
    for (double share : {1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999})
      EXPECT_NEAR(law.cdf(law.quantile(share)), share, 1e-11) << ratio;
    EXPECT_DOUBLE_EQ(law.quantile(0), law.lower());
    EXPECT_DOUBLE_EQ(law.quantile(1), law.upper());
  }
}

TEST(MarchenkoPasturFit, RecoversTheLawsOwnQuantiles) {
  struct Shape {
    std::size_t n, m;
  };
  for (Shape shape : {Shape{8, 8}, {64, 4096}, {256, 512}, {300, 301}, {1024, 1024}, {3000, 8000}}) {
    for (double variance : {1e-150, 4e-4, 1.0, 1e150}) {
      double ratio = static_cast<double>(shape.n) / static_cast<double>(shape.m);
      MarchenkoPasturLaw law = {variance, ratio};
      std::optional<MarchenkoPasturFit> fit =
          fitMarchenkoPastur(quantileGrid(law, shape.n, shape.m), shape.m);
      ASSERT_TRUE(fit);
      EXPECT_NEAR(fit->law.variance / variance, 1, 1e-6);
      EXPECT_NEAR(fit->law.upper() / law.upper(), 1, 1e-6);
      EXPECT_NEAR(fit->lower_sigma, std::sqrt(law.lower() * static_cast<double>(shape.m)),
                  1e-6 * fit->upper_sigma);
      EXPECT_NEAR(fit->upper_sigma / std::sqrt(law.upper() * static_cast<double>(shape.m)), 1, 1e-6);
      EXPECT_EQ(fit->spikes, 0u);
      EXPECT_NEAR(fit->distance, 0.5 / static_cast<double>(shape.n), 1e-9);
    }
  }
}

TEST(MarchenkoPasturFit, CountsPlantedSpikes) {
  constexpr std::size_t kN = 256, kM = 1024;
  MarchenkoPasturLaw law = {0.01, 0.25};
  for (std::size_t spikes : {1, 5, 40}) {
    std::vector<double> sigma = quantileGrid(law, kN - spikes, kM);
    double edge = std::sqrt(law.upper() * kM);
    for (std::size_t i = 0; i < spikes; ++i) sigma.push_back(edge * (1.2 + 0.1 * static_cast<double>(i)));
    std::sort(sigma.begin(), sigma.end(), std::greater<>());
    std::optional<MarchenkoPasturFit> fit = fitMarchenkoPastur(sigma, kM);
    ASSERT_TRUE(fit);
    EXPECT_EQ(fit->spikes, spikes);
    EXPECT_NEAR(fit->law.variance, 0.01, 1e-8);
  }
}

TEST(MarchenkoPasturFit, GaussianMatricesAreAllBulk) {
  for (unsigned seed : {1u, 2u, 3u}) {
    std::optional<MarchenkoPasturFit> fit =
        fitMarchenkoPastur(singularValues(gaussian(256, 512, seed, 0.02)), 512);
    ASSERT_TRUE(fit);
    EXPECT_EQ(fit->spikes, 0u);
    EXPECT_LT(fit->distance, 0.05);
    EXPECT_NEAR(fit->law.variance / 4e-4, 1, 0.02);
    EXPECT_NEAR(fit->effective_entries / (256 * 512), 1, 0.03);
  }
}

TEST(MarchenkoPasturFit, SquareGaussianMatrices) {
  std::optional<MarchenkoPasturFit> fit = fitMarchenkoPastur(singularValues(gaussian(256, 256, 4)), 256);
  ASSERT_TRUE(fit);
  EXPECT_EQ(fit->spikes, 0u);
  EXPECT_LT(fit->distance, 0.05);
  EXPECT_EQ(fit->lower_sigma, 0);
  EXPECT_NEAR(fit->upper_sigma, 2 * std::sqrt(256.0), 0.5);
}

TEST(MarchenkoPasturFit, SignalInNoiseIsCounted) {
  // Three orthogonal directions of strength 3 sqrt(m), well above the threshold (n m)^(1/4) of visibility.
  Eigen::MatrixXd a = gaussian(256, 512, 5);
  for (Eigen::Index i = 0; i < 3; ++i) a(i, i) += 3 * std::sqrt(512.0);
  std::optional<MarchenkoPasturFit> fit = fitMarchenkoPastur(singularValues(a), 512);
  ASSERT_TRUE(fit);
  EXPECT_EQ(fit->spikes, 3u);
  EXPECT_NEAR(fit->law.variance, 1, 0.03);
  EXPECT_LT(fit->distance, 0.05);
}

TEST(MarchenkoPasturFit, RepeatedRowsHaveFewerEntries) {
  // Each column occurs twice: half as many independent ones.
  Eigen::MatrixXd half = gaussian(128, 256, 6);
  Eigen::MatrixXd a(128, 512);
  a << half, half;
  std::optional<MarchenkoPasturFit> fit = fitMarchenkoPastur(singularValues(a), 512);
  ASSERT_TRUE(fit);
  EXPECT_GT(fit->distance, 0.05);
  EXPECT_LT(fit->effective_entries, 0.75 * 128 * 512);
}

TEST(MarchenkoPasturFit, OverlayIntegratesInTheUnitOfSigma) {
  std::optional<MarchenkoPasturFit> fit = fitMarchenkoPastur(quantileGrid({0.01, 0.5}, 256, 512), 512);
  ASSERT_TRUE(fit);
  constexpr int kSteps = 20000;
  double step = (fit->upper_sigma - fit->lower_sigma) / kSteps;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) sum += fit->sigmaDensity(fit->lower_sigma + (i + 0.5) * step) * step;
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_NEAR(fit->sigmaCdf(std::sqrt(512 * fit->law.quantile(0.25))), 0.25, 1e-9);
  EXPECT_EQ(fit->sigmaDensity(0), 0);
  EXPECT_GT(fit->spike_sigma, fit->upper_sigma);
}

TEST(MarchenkoPasturFit, RefusesWhatHasNoBulk) {
  std::vector<double> spiked_constant(100, 1);
  spiked_constant[0] = 50;
  std::vector<double> low_rank(100, 0);
  std::fill_n(low_rank.begin(), 12, 3.0);
  for (const std::vector<double>& sigma : {std::vector<double>{},
                                           {3, 2, 1},
                                           std::vector<double>(100, 0),
                                           std::vector<double>(100, 0.5),
                                           std::vector<double>(100, 1e200),
                                           spiked_constant,
                                           low_rank})
    EXPECT_FALSE(fitMarchenkoPastur(sigma, 200)) << sigma.size();
  EXPECT_FALSE(fitMarchenkoPastur(quantileGrid({1, 1}, 64, 64), 63));
}

}  // namespace
}  // namespace vitrine::core::marchenko_pastur
