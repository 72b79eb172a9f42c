// The exponent of one matrix's tail does not move when a part of it is left out, where the plain one does.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/methods/support/suited_matrices.h"
#include "core/spectra/aspect_ratio.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/power_law.h"

namespace vitrine::test::farms_test {
namespace {

using core::WindowShape;

DenseMatrix studentT(std::uint64_t rows, std::uint64_t columns, double freedom) {
  std::mt19937 random(11);
  std::student_t_distribution<double> student(freedom);
  DenseMatrix matrix{rows, columns, std::vector<float>(rows * columns)};
  for (float& value : matrix.values) value = float(student(random));
  return matrix;
}

struct Alphas {
  double hill = 0, law = 0;
};
Alphas alphasOf(const std::vector<double>& sigma) {
  const auto hill = core::hillAlpha(sigma);
  const auto law = core::fitPowerLaw(sigma, {.replicates = 0});
  EXPECT_TRUE(hill && law);
  return {*hill, law->alpha};
}

TEST(Farms, TakesAwayTheBiasOfTheAspectRatio) {
  const DenseMatrix whole = studentT(512, 512, 3);
  Alphas plain[2], farms[2];
  for (const std::size_t cut : {0u, 1u}) {
    const DenseMatrix matrix = core::methods::drawnBlock(whole, cut == 0 ? 512 : 64, 512, 1);
    const auto spectrum = core::lapackSpectrum(matrix);
    const auto pooled = core::pooledSpectrum(matrix, core::windowOf(matrix.rows, matrix.columns, 64, 1), 8);
    ASSERT_TRUE(spectrum && pooled);
    plain[cut] = alphasOf(spectrum->sigma);
    farms[cut] = alphasOf(*pooled);
  }
  // The same elements' law, an eighth of the rows: the plain exponents say something else.
  EXPECT_GT(plain[1].hill - plain[0].hill, 1);
  EXPECT_LT(std::abs(farms[1].hill - farms[0].hill), 0.1);
  EXPECT_GT(std::abs(plain[1].law - plain[0].law), 2 * std::abs(farms[1].law - farms[0].law));
}

TEST(Farms, WindowsCoverTheMatrix) {
  const WindowShape window = core::windowOf(100, 40, 16, 2);
  EXPECT_EQ(window.rows, 32u);
  EXPECT_EQ(window.columns, 16u);
  EXPECT_EQ(core::windowOf(40, 100, 64, 2).rows, 40u);
  EXPECT_EQ(core::windowOf(40, 100, 64, 2).columns, 80u);
  EXPECT_EQ(core::windowOf(1, 9, 32, 1).columns, 1u);
  const DenseMatrix matrix = gaussian(30, 12, 1);
  const auto all = core::pooledSpectrum(matrix, {30, 12}, 5);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 12u);  // one window: the matrix itself
  const auto expected = referenceSigma(matrix);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR((*all)[i], expected[i], 1e-7 * expected[0]);
  const auto pooled = core::pooledSpectrum(matrix, {12, 12}, 3);
  ASSERT_TRUE(pooled);
  EXPECT_EQ(pooled->size(), 36u);
  EXPECT_TRUE(std::ranges::is_sorted(*pooled, std::greater<>()));
}

TEST(HillAlpha, FindsAPareto) {
  std::vector<double> sigma;
  for (std::size_t i = 0; i < 4000; ++i)
    sigma.push_back(std::sqrt(std::pow((double(i) + 0.5) / 4000, -1 / 1.5)));
  EXPECT_NEAR(*core::hillAlpha(sigma), 2.5, 0.01);
  EXPECT_FALSE(core::hillAlpha(std::vector<double>(20, 1.0)));
  EXPECT_FALSE(core::hillAlpha(std::vector<double>(7, 1.0)));
}

}  // namespace
}  // namespace vitrine::test::farms_test
