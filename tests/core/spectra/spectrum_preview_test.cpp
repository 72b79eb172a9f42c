// Previews against LAPACK's values.
#include "core/spectra/spectrum_preview.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/spectrum_matrices.h"
#include "core/spectra/spectrum_run.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"

namespace vitrine::core::spectrum_preview_test {
namespace {

void expectPreview(const DenseMatrix& matrix, const TopKOptions& options = PreviewOptions().top) {
  const SpectrumPreview preview = test::expectValue(previewOf(matrix, options));
  const std::vector<double> exact = test::referenceSigma(matrix);
  const double s1 = exact.front();
  double squares = 0;
  for (const double s : exact) squares += s * s;
  EXPECT_EQ(preview.rows, matrix.rows);
  EXPECT_EQ(preview.columns, matrix.columns);
  EXPECT_EQ(preview.all(), exact.size());
  EXPECT_NEAR(preview.frobenius, std::sqrt(squares), 1e-13 * preview.frobenius);
  ASSERT_EQ(preview.sigma.size(), preview.residuals.size());
  ASSERT_LE(preview.sigma.size(), static_cast<std::size_t>(options.k));
  for (std::size_t i = 0; i < preview.sigma.size(); ++i) {
    // From below, as exactly as the squares of values that small are known.
    EXPECT_LE(preview.sigma[i] * preview.sigma[i] - exact[i] * exact[i], 1e-14 * s1 * s1) << i;
    double nearest = std::numeric_limits<double>::infinity();
    for (const double s : exact) nearest = std::min(nearest, std::abs(s - preview.sigma[i]));
    EXPECT_LE(nearest, preview.residuals[i] + 1e-12 * s1) << i;
  }
  const double stable_rank = squares / (s1 * s1);
  EXPECT_GE(preview.stableRank(), stable_rank * (1 - 1e-12));
  EXPECT_LE(preview.stableRank(), stable_rank * std::pow(1 - preview.residuals[0] / s1, -2) * (1 + 1e-12));
}

TEST(SpectrumPreviewTest, LiesWithinItsResidualsOfEveryKindOfMatrix) {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{90, 90}, {61, 140}, {150, 57}})
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns))) {
      SCOPED_TRACE(fmt::format("{} x {}, {}", rows, columns, shape.name));
      expectPreview(test::withSigma(rows, columns, shape.sigma));
    }
}

TEST(SpectrumPreviewTest, GoesThroughMatricesByPanels) {
  // More columns than a panel has elements for 512 rows, and a last panel that is not full.
  const DenseMatrix wide = test::gaussian(37, 20'011), tall = test::gaussian(20'011, 37);
  for (const DenseMatrix* matrix : {&wide, &tall}) {
    const TopKOptions all{.k = 64};
    const SpectrumPreview preview = test::expectValue(previewOf(*matrix, all));
    EXPECT_CLOSE(preview.sigma, test::expectValue(lapackSpectrum(*matrix)).sigma, 1e-9);
    EXPECT_LE(std::ranges::max(preview.residuals), 1e-7 * preview.sigma[0]);
  }
}

TEST(SpectrumPreviewTest, SaysNothingOfAMatrixOfZeros) {
  const SpectrumPreview preview = test::expectValue(previewOf({20, 30, std::vector<float>(600)}));
  EXPECT_TRUE(preview.sigma.empty());
  EXPECT_EQ(preview.frobenius, 0);
  EXPECT_TRUE(std::isnan(preview.stableRank()));
}

TEST(SpectrumPreviewTest, RefusesWhatTheSpectrumRefusesAndStops) {
  DenseMatrix matrix = test::gaussian(30, 40);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(previewOf(matrix, {}, stop.get_token()).error().code, ErrorCode::kCancelled);
  matrix.values[83] = std::numeric_limits<float>::quiet_NaN();
  const auto refused = previewOf(matrix);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("element (2, 3) is nan"));
  EXPECT_EQ(previewOf({0, 3, {}}).error().code, ErrorCode::kInvalidArgument);
}

TEST(SpectrumPreviewTest, IsForLargeMatricesAndCostsLittleOfThem) {
  const PreviewOptions options;
  EXPECT_FALSE(options.wanted(576, 49'152));
  EXPECT_TRUE(options.wanted(4'096, 14'336));
  for (const auto& [rows, columns] :
       {std::pair<std::uint64_t, std::uint64_t>{options.least_side, options.least_side}, {4'096, 14'336}}) {
    const SpectrumJob all{.rows = rows, .columns = columns, .load = {}};
    EXPECT_LT(options.cost(rows, columns), 0.15 * all.cost());
  }
}

}  // namespace
}  // namespace vitrine::core::spectrum_preview_test
