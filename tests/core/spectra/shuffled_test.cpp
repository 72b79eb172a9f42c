#include "core/spectra/shuffled.h"

#include <algorithm>

#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/metrics.h"
#include "core/spectra/spectrum_matrices.h"

namespace vitrine::core::shuffled_test {
namespace {

TEST(Shuffled, HasTheSameElementsInAnOrderOfTheSeeds) {
  const DenseMatrix matrix = test::gaussian(7, 9);
  DenseMatrix first = shuffled(matrix, 1);
  EXPECT_EQ(first.values, shuffled(matrix, 1).values);
  EXPECT_NE(first.values, matrix.values);
  EXPECT_NE(first.values, shuffled(matrix, 2).values);
  std::ranges::sort(first.values);
  std::vector<float> sorted = matrix.values;
  std::ranges::sort(sorted);
  EXPECT_EQ(first.values, sorted);
  EXPECT_EQ(first.rows, 7);
  EXPECT_TRUE(shuffled({0, 0, {}}).values.empty());
}

// Structure goes: a matrix of rank 2 comes out with the ranks of noise.
TEST(Shuffled, LeavesNothingOfALowRank) {
  const DenseMatrix matrix = test::withSigma(60, 80, Eigen::Vector2d(2, 1));
  const auto before = lapackSpectrum(matrix), after = lapackSpectrum(shuffled(matrix));
  ASSERT_TRUE(before && after);
  EXPECT_LT(spectrumMetrics(before->sigma, 1e-5).effective_rank, 3);
  EXPECT_GT(spectrumMetrics(after->sigma, 1e-5).effective_rank, 40);
}

}  // namespace
}  // namespace vitrine::core::shuffled_test
