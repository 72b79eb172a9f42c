// The recall task ends as the paper says: factors find the smaller nuclear norm and fill the unseen block,
// the combined matrix the smaller Frobenius norm and leaves it empty.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/head_products.h"
#include "core/spectra/recall_toy.h"

namespace vitrine::test::ocr_nuclear_norm_test {
namespace {

using namespace core;

TEST(RecallToy, FactorsFindTheSmallerNuclearNormAndFillTheUnseenBlock) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const RecallTask task{.seed = seed};
    const auto combined = trainRecall(task, RecallForm::kCombined),
               factors = trainRecall(task, RecallForm::kFactorized);
    ASSERT_TRUE(combined && factors);
    const RecallState &c = combined->states.back(), &f = factors->states.back();
    EXPECT_GT(c.margin, 3);
    EXPECT_GT(f.margin, 3);
    EXPECT_LT(f.nuclear / f.margin, 0.98 * c.nuclear / c.margin);
    EXPECT_GT(f.frobenius / f.margin, 1.05 * c.frobenius / c.margin);
    EXPECT_LT(f.effective_rank, c.effective_rank - 1);
    EXPECT_NEAR(c.preference, 0, 1e-12);
    EXPECT_EQ(c.accuracy, 0);
    EXPECT_GT(f.preference / f.margin, 0.7);
    EXPECT_EQ(f.accuracy, 1);
  }
}

// By symmetry no implication of an unseen subject is preferred: its block has equal elements.
TEST(RecallToy, LeavesTheUnseenBlockOfTheCombinedMatrixFlat) {
  const RecallTask task{.facts = 3, .trained = 2, .unseen = 2, .steps = 500};
  const auto run = trainRecall(task, RecallForm::kCombined);
  ASSERT_TRUE(run);
  for (int s = 0; s < task.subjects(); ++s) {
    const Eigen::VectorXd block = run->w.col(s).tail(3);
    if (task.isUnseen(s))
      EXPECT_LT(block.maxCoeff() - block.minCoeff(), 1e-12);
    else
      EXPECT_GT(block[task.factOf(s)], block.minCoeff() + 0.1);
  }
}

// The gradient that both use, against differences of the loss: one small step lowers it by rate |gradient|^2.
TEST(RecallToy, DescendsAlongTheGradient) {
  const RecallTask first{.facts = 2, .steps = 1, .rate = 1e-4}, second{.facts = 2, .steps = 2, .rate = 1e-4};
  const auto one = trainRecall(first, RecallForm::kCombined),
             two = trainRecall(second, RecallForm::kCombined);
  ASSERT_TRUE(one && two);
  const double moved = (two->w - one->w).squaredNorm() / first.rate;
  EXPECT_NEAR((one->states.back().loss - two->states.back().loss) / moved, 1, 1e-3);
  const double start = std::log(4.0);  // uniform over four outputs
  EXPECT_NEAR((start - one->states.back().loss) / (one->w.squaredNorm() / first.rate), 1, 1e-3);
}

TEST(RecallToy, RecordsGrowingStepsAndRefusesNothing) {
  const auto run = trainRecall({.steps = 30}, RecallForm::kCombined);
  ASSERT_TRUE(run);
  std::vector<int> steps;
  for (const RecallState& state : run->states) steps.push_back(state.step);
  EXPECT_EQ(steps, (std::vector<int>{1, 2, 5, 10, 20, 30}));
  EXPECT_EQ(trainRecall({.facts = 1}, RecallForm::kCombined).error().code, ErrorCode::kInvalidArgument);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(trainRecall({}, RecallForm::kFactorized, stop.get_token()).error().code, ErrorCode::kCancelled);
}

// Heads' numbers are those of the formed products.
TEST(OcrNuclearNorm, OfHeadsIsThatOfTheirProducts) {
  const auto method = core::methods::findAnalysis("ocr-nuclear-norm");
  ASSERT_TRUE(method);
  AnalysisInput input{.model = "small", .parameters = Parameters((*method)->parameters)};
  ASSERT_TRUE(input.parameters.set("steps", 10));
  input.spec = smallSpec();
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_TRUE(result) << result.error().describe();
  const auto& rows = result->tables[0].rows;
  ASSERT_EQ(rows.size(), 12u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto factors = LayerFactors::read(*input.spec, std::uint32_t(i / 6), {});
    const auto product = factors->product(ProductKind::kOv, std::uint32_t(i % 6));
    const auto svd = fullSvd(Columns(product->left * product->right));
    ASSERT_TRUE(svd);
    EXPECT_NEAR(std::get<double>(rows[i][2]), svd->sigma.sum(), 1e-9 * svd->sigma.sum());
    EXPECT_NEAR(std::get<double>(rows[i][3]), svd->sigma.norm(), 1e-9 * svd->sigma.norm());
    EXPECT_NEAR(std::get<double>(rows[i][5]), svd->sigma.sum() / (svd->sigma.norm() * std::sqrt(8.0)), 1e-9);
  }
}

}  // namespace
}  // namespace vitrine::test::ocr_nuclear_norm_test
