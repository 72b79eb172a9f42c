// What a change is made of is what its pattern retains: all of a banded, sparse or low-rank one.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/base_coordinates.h"

namespace vitrine::test::svft_test {
namespace {

using namespace core;

FullSvd svdOf(const Columns& matrix) {
  auto svd = fullSvd(matrix);
  VITRINE_ASSERT(svd.has_value());
  return std::move(*svd);
}

// U D V^T.
Columns changeOf(const FullSvd& svd, const Columns& d) {
  return product(product(svd.u, d), svd.v.transpose());
}

TEST(BaseCoordinates, AreThoseThatAChangeWasMadeOf) {
  for (const auto& [m, n] : {std::pair{14, 14}, {11, 17}, {20, 9}}) {
    const FullSvd svd = svdOf(toDouble(gaussian(std::uint64_t(m), std::uint64_t(n), 3)));
    const Columns d = toDouble(gaussian(std::uint64_t(std::min(m, n)), std::uint64_t(std::min(m, n)), 4));
    EXPECT_LT((changeInBasis(svd, changeOf(svd, d)) - d).norm(), 1e-12 * d.norm());
  }
}

TEST(Patterns, RetainWhatTheyWereMadeOf) {
  const Eigen::Index r = 12;
  Columns d = toDouble(gaussian(12, 12, 5));
  for (Eigen::Index i = 0; i < r; ++i)
    for (Eigen::Index j = 0; j < r; ++j)
      if (std::abs(i - j) > 1) d(i, j) = 0;
  const std::vector<double> bands = bandEnergies(d);
  EXPECT_NEAR(bands[0], d.diagonal().squaredNorm(), 1e-12);
  EXPECT_NEAR(bands[1], d.squaredNorm(), 1e-12);
  EXPECT_EQ(bandElements(12, 0), 12u);
  EXPECT_EQ(bandElements(12, 1), 34u);
  EXPECT_EQ(bandElements(12, 11), 144u);
  EXPECT_EQ(bandElements(12, 400), 144u);
  const std::vector<double> top = energiesByScore(d, d.cwiseAbs());
  ASSERT_EQ(top.size(), 145u);
  EXPECT_EQ(top[0], 0);
  EXPECT_NEAR(top[34], d.squaredNorm(), 1e-12);
  EXPECT_LT(top[33], d.squaredNorm());
  // No pattern of as many elements holds more than the largest ones.
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    const std::vector<double> random = energiesByScore(d, toDouble(gaussian(12, 12, seed)));
    for (std::size_t k = 0; k < top.size(); ++k) EXPECT_LE(random[k], top[k] + 1e-12);
  }
}

TEST(Patterns, OfLowRankAreAllOfALowRankChange) {
  std::mt19937 random(2);
  const Columns change = orthonormal(15, 3, random) * Eigen::Vector3d(3, 2, 1).asDiagonal() *
                         orthonormal(10, 3, random).transpose();
  const std::vector<double> energies = lowRankEnergies(svdOf(change).sigma);
  EXPECT_NEAR(energies[1], 9, 1e-12);
  EXPECT_NEAR(energies[3], 14, 1e-12);
}

std::vector<core::methods::Cell> rowFor(const Columns& base, const Columns& tuned, double band) {
  const auto method = core::methods::findAnalysis("svft");
  VITRINE_ASSERT(method.has_value());
  AnalysisInput input{.model = "base", .parameters = Parameters((*method)->parameters)};
  VITRINE_ASSERT(input.parameters.set("band", band).has_value());
  input.tunes = {{"tuned", {namedPair("layers.0.a.weight", base, tuned)}}};
  auto result = core::methods::runAnalysis(**method, input);
  VITRINE_ASSERT(result.has_value());
  return result->tables[0].rows[0];
}

TEST(Svft, HoldsABandedChangeThatLoraCannot) {
  const Columns base = toDouble(gaussian(24, 24, 1));
  const FullSvd svd = svdOf(base);
  Columns d = Columns::Zero(24, 24);
  for (Eigen::Index i = 0; i < 24; ++i) {
    d(i, i) = 1;
    if (i > 0) d(i, i - 1) = -0.5;
  }
  const auto row = rowFor(base, base + changeOf(svd, d), 1);
  const auto at = [&](std::size_t c) { return std::get<double>(row[c]); };
  EXPECT_NEAR(at(2), 70.0 / 576, 1e-12);
  EXPECT_NEAR(at(3), 24 / (24 + 23 * 0.25), 1e-9);
  EXPECT_NEAR(at(4), 1, 1e-9);
  EXPECT_NEAR(at(5), 1, 1e-9);
  EXPECT_LT(at(7), 0.6);
  EXPECT_LT(at(8), 0.2);  // of rank 1: 48 parameters
}

TEST(Svft, HoldsLittleOfALowRankChangeThatLoraHolds) {
  std::mt19937 random(2);
  const Columns base = toDouble(gaussian(40, 30, 1));
  const Columns change = orthonormal(40, 1, random) * orthonormal(30, 1, random).transpose();
  const auto row = rowFor(base, base + change, 1);
  EXPECT_LT(std::get<double>(row[4]), 0.5);
  EXPECT_NEAR(std::get<double>(row[8]), 1, 1e-9);
}

}  // namespace
}  // namespace vitrine::test::svft_test
