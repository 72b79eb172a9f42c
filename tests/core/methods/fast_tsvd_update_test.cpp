// Exact where nothing is cut, and never above the truth; StreamingSvd has its own tests.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"

namespace vitrine::test::fast_tsvd_update_test {
namespace {

core::methods::AnalysisResult resultOf(const DenseMatrix& matrix, double rank) {
  const auto method = core::methods::findAnalysis("fast-tsvd-update");
  VITRINE_ASSERT(method.has_value());
  AnalysisInput input{.model = "rows", .parameters = Parameters((*method)->parameters)};
  VITRINE_ASSERT(input.parameters.set("rank", rank).has_value());
  input.matrices.push_back(namedMatrix("layers.0.rows", matrix));
  auto result = runAnalysis(**method, input);
  VITRINE_ASSERT(result.has_value());
  return std::move(*result);
}

double cell(const core::methods::AnalysisResult& result, std::size_t column) {
  return std::get<double>(result.tables[0].rows[0][column]);
}
constexpr std::size_t kLeadingError = 3, kKeptError = 4, kBound = 5, kAngle = 6;

TEST(FastTsvdUpdate, IsExactWhereTheRankFits) {
  std::mt19937 random(5);
  const DenseMatrix low =
      toDense(orthonormal(90, 6, random) * Eigen::VectorXd::LinSpaced(6, 9, 4).asDiagonal() *
              orthonormal(40, 6, random).transpose());
  const auto result = resultOf(low, 12);
  EXPECT_LE(cell(result, kKeptError), 1e-6);  // the elements are float32
  EXPECT_LE(cell(result, kAngle), 1e-5);
}

TEST(FastTsvdUpdate, StaysBelowTheTruthAndWithinItsBound) {
  const auto result = resultOf(gaussian(200, 60, 1), 16);
  EXPECT_GT(cell(result, kLeadingError), 1e-4);  // noise does not fit
  EXPECT_GE(cell(result, kBound), 1);
  const auto& lines = result.figures[0].panels[1].lines;
  for (std::size_t i = 0; i < lines[0].y.size(); ++i) {
    EXPECT_LE(lines[1].y[i], lines[0].y[i] * (1 + 1e-9)) << i;
    EXPECT_GE(lines[2].y[i], lines[0].y[i] * (1 - 1e-9)) << i;
  }
}

TEST(FastTsvdUpdate, ErrsLessWithALargerRank) {
  const DenseMatrix matrix = gaussian(150, 50, 2);
  EXPECT_LT(cell(resultOf(matrix, 40), kLeadingError), cell(resultOf(matrix, 10), kLeadingError));
}

}  // namespace
}  // namespace vitrine::test::fast_tsvd_update_test
