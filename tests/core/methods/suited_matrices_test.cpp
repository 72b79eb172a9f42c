// What is too large is named and left out by its shape alone; drawn blocks are the matrix's own elements.
#include "core/methods/support/suited_matrices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/methods/analysis_fixtures.h"
#include "core/methods/support/summaries.h"

namespace vitrine::test::suited_matrices_test {
namespace {

using namespace core::methods;

// Never loaded.
NamedMatrix unloadable(std::string name, std::uint64_t rows, std::uint64_t columns) {
  return {std::move(name), rows, columns, []() -> Result<DenseMatrix> {
            ADD_FAILURE() << "loaded";
            return fail(ErrorCode::kInvalidFile, "loaded");
          }};
}

TEST(SuitedMatrices, LeavesOutWhatIsTooLarge) {
  AnalysisInput input;
  input.matrices = {unloadable("a", 100, 10), unloadable("embedding", 128'000, 4'096),
                    unloadable("b", 30, 30)};
  const auto suited = suitedMatrices(input, {.elements = 1'000, .short_side = 0});
  ASSERT_TRUE(suited);
  EXPECT_EQ(suited->matrices.size(), 2u);
  ASSERT_EQ(suited->left_out.size(), 1u);
  EXPECT_NE(suited->left_out[0].find("embedding of 128000 x 4096"), std::string::npos) << suited->left_out[0];
  const auto narrow = suitedMatrices(input, {.elements = 1'000, .short_side = 20});
  ASSERT_TRUE(narrow);
  EXPECT_EQ(narrow->matrices.size(), 1u);
  const auto none = suitedMatrices(input, {.elements = 10, .short_side = 0});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(none.error().describe().find("a of 100 x 10"), std::string::npos) << none.error().describe();
}

// A head of a large vocabulary: each method of matrices leaves it out or refuses it, or takes its shape; none
// that refuses loads it.
TEST(SuitedMatrices, NoMethodLoadsWhatItCannotHold) {
  for (const char* id : {"soka", "meta-factorization"}) {
    const auto method = findAnalysis(id);
    ASSERT_TRUE(method) << id;
    AnalysisInput input{.model = "large", .parameters = Parameters((*method)->parameters)};
    input.matrices = {unloadable("embedding", 128'000, 4'096)};
    const auto result = runAnalysis(**method, input);
    ASSERT_FALSE(result) << id;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << id;
  }
}

TEST(DrawnBlock, HasTheMatrixsElementsInOrder) {
  DenseMatrix matrix{20, 15, {}};
  for (int i = 0; i < 300; ++i) matrix.values.push_back(float(i));
  const DenseMatrix block = drawnBlock(matrix, 6, 30, 1);
  ASSERT_EQ(block.rows, 6u);
  ASSERT_EQ(block.columns, 15u);
  EXPECT_TRUE(std::ranges::is_sorted(block.values));
  EXPECT_EQ(drawnBlock(matrix, 6, 4, 1).values, drawnBlock(matrix, 6, 4, 1).values);
  EXPECT_NE(drawnBlock(matrix, 6, 4, 1).values, drawnBlock(matrix, 6, 4, 2).values);
  EXPECT_EQ(drawnBlock(matrix, 20, 15, 1).values, matrix.values);
  const auto drawn = drawnIndices(50, 20, 3);
  EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 20u);
  EXPECT_LT(drawn.back(), 50u);
}

TEST(Summaries, CountFiniteNumbersOnly) {
  EXPECT_EQ(finiteMedian({3, NAN, 1, 2}), 2);
  EXPECT_TRUE(std::isnan(finiteMedian({NAN})));
  EXPECT_NE(seedOf("a", 1), seedOf("b", 1));
  EXPECT_EQ(seedOf("a", 2), seedOf("a", 1) + 1);
}

}  // namespace
}  // namespace vitrine::test::suited_matrices_test
