#include "core/spectra/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace vitrine::core::metrics {
namespace {

void expectFinite(const SpectrumMetrics& m) {
  for (double value : {m.frobenius, m.s1, m.nuclear, m.stable_rank, m.effective_rank, m.effective_rank_energy,
                       m.participation, m.condition})
    EXPECT_TRUE(std::isfinite(value));
}

TEST(SpectrumMetrics, HandComputedSpectrum) {
  std::vector<double> sigma = {4, 2, 2};
  SpectrumMetrics m = spectrumMetrics(sigma, 0);
  EXPECT_DOUBLE_EQ(m.frobenius, std::sqrt(24.0));
  EXPECT_DOUBLE_EQ(m.s1, 4);
  EXPECT_DOUBLE_EQ(m.nuclear, 8);
  EXPECT_DOUBLE_EQ(m.stable_rank, 1.5);
  // Shares 1/2, 1/4, 1/4 have 1.5 bits; shares 4/6, 1/6, 1/6 have ln 6 - 4/6 ln 4 nats.
  EXPECT_NEAR(m.effective_rank, std::exp2(1.5), 1e-12);
  EXPECT_NEAR(m.effective_rank_energy, 6 / std::pow(4, 4.0 / 6), 1e-12);
  EXPECT_DOUBLE_EQ(m.participation, 24.0 * 24.0 / (256 + 16 + 16));
  EXPECT_EQ(m.energy_rank, (std::array<std::size_t, 3>{3, 3, 3}));
  EXPECT_EQ(m.rank, 3u);
  EXPECT_DOUBLE_EQ(m.condition, 2);
  EXPECT_FALSE(m.condition_is_bound);
}

TEST(SpectrumMetrics, EqualValuesUseEveryDirection) {
  for (std::size_t n : {1, 10, 100, 1000}) {
    std::vector<double> sigma(n, 0.3);
    SpectrumMetrics m = spectrumMetrics(sigma, 0);
    double count = static_cast<double>(n);
    EXPECT_NEAR(m.stable_rank, count, 1e-9 * count);
    EXPECT_NEAR(m.effective_rank, count, 1e-9 * count);
    EXPECT_NEAR(m.effective_rank_energy, count, 1e-9 * count);
    EXPECT_NEAR(m.participation, count, 1e-9 * count);
    for (std::size_t q = 0; q < kEnergyShares.size(); ++q)
      EXPECT_EQ(m.energy_rank[q], static_cast<std::size_t>(std::ceil(kEnergyShares[q] * count - 1e-9)));
    EXPECT_EQ(m.rank, n);
    EXPECT_DOUBLE_EQ(m.condition, 1);
  }
}

TEST(SpectrumMetrics, NoiseCountsAsZero) {
  std::vector<double> sigma = {3, 1, 1e-9, 1e-10};
  SpectrumMetrics m = spectrumMetrics(sigma, 1e-9);
  SpectrumMetrics clean = spectrumMetrics(std::vector<double>{3, 1}, 0);
  EXPECT_EQ(m.rank, 2u);
  EXPECT_DOUBLE_EQ(m.condition, 3e9);
  EXPECT_TRUE(m.condition_is_bound);
  EXPECT_DOUBLE_EQ(m.nuclear, clean.nuclear);
  EXPECT_DOUBLE_EQ(m.effective_rank, clean.effective_rank);
}

TEST(SpectrumMetrics, SingularWithoutFloorIsInfinitelyConditioned) {
  SpectrumMetrics m = spectrumMetrics(std::vector<double>{2, 0}, 0);
  EXPECT_TRUE(std::isinf(m.condition));
  EXPECT_FALSE(m.condition_is_bound);
  EXPECT_EQ(m.rank, 1u);
  EXPECT_DOUBLE_EQ(m.effective_rank, 1);
}

TEST(SpectrumMetrics, ZeroMatrixHasNoRank) {
  for (const std::vector<double>& sigma : {std::vector<double>{}, {0}, {0, 0, 0}, {1e-12, 1e-13}}) {
    SpectrumMetrics m = spectrumMetrics(sigma, 1e-9);
    expectFinite(m);
    EXPECT_EQ(m.rank, 0u);
    EXPECT_EQ(m.stable_rank, 0);
    EXPECT_EQ(m.effective_rank, 0);
    EXPECT_EQ(m.effective_rank_energy, 0);
    EXPECT_EQ(m.participation, 0);
    EXPECT_EQ(m.energy_rank, (std::array<std::size_t, 3>{}));
    EXPECT_FALSE(m.condition_is_bound);
  }
}

TEST(SpectrumMetrics, ScaleChangesNormsOnly) {
  SpectrumMetrics one = spectrumMetrics(std::vector<double>{1, 0.5, 0.25, 0.125}, 0);
  for (double scale : {1e-300, 1e-160, 1e160, 1e300}) {
    std::vector<double> sigma = {scale, scale / 2, scale / 4, scale / 8};
    SpectrumMetrics m = spectrumMetrics(sigma, 0);
    expectFinite(m);
    EXPECT_DOUBLE_EQ(m.frobenius / scale, one.frobenius);
    EXPECT_DOUBLE_EQ(m.nuclear / scale, one.nuclear);
    EXPECT_DOUBLE_EQ(m.stable_rank, one.stable_rank);
    EXPECT_DOUBLE_EQ(m.effective_rank, one.effective_rank);
    EXPECT_DOUBLE_EQ(m.effective_rank_energy, one.effective_rank_energy);
    EXPECT_DOUBLE_EQ(m.participation, one.participation);
    EXPECT_EQ(m.energy_rank, one.energy_rank);
    EXPECT_DOUBLE_EQ(m.condition, 8);
  }
}

TEST(SpectrumMetrics, OneSpikeOverATail) {
  std::vector<double> sigma(4097, 1e-100);  // whose squares vanish beside the spike's
  sigma[0] = 1e200;
  SpectrumMetrics m = spectrumMetrics(sigma, 0);
  expectFinite(m);
  EXPECT_DOUBLE_EQ(m.stable_rank, 1);
  EXPECT_NEAR(m.effective_rank, 1, 1e-12);
  EXPECT_EQ(m.energy_rank, (std::array<std::size_t, 3>{1, 1, 1}));
}

}  // namespace
}  // namespace vitrine::core::metrics
