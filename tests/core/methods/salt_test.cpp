// A change that SALT can make is explained in full at its own sizes, and no less by any larger one.
#include "core/spectra/salt_split.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/base_coordinates.h"

namespace vitrine::test::salt_test {
namespace {

using namespace core;

// s_i' = a_i s_i + b_i of the first four values, rank 2 behind them.
Columns saltChange(const FullSvd& svd, Eigen::Index head) {
  const Eigen::Index r = svd.sigma.size();
  std::mt19937 random(5);
  Columns d = Columns::Zero(r, r);
  for (Eigen::Index i = 0; i < head; ++i) d(i, i) = (1.3 + 0.1 * double(i) - 1) * svd.sigma[i] - 0.2;
  d.bottomRightCorner(r - head, r - head) = orthonormal(r - head, 2, random) *
                                            Eigen::Vector2d(2, 1).asDiagonal() *
                                            orthonormal(r - head, 2, random).transpose();
  return product(product(svd.u, d), svd.v.transpose());
}

TEST(SaltSplit, ExplainsWhatSaltMade) {
  for (const auto& [m, n] : {std::pair{20, 20}, {15, 26}, {30, 12}}) {
    const auto svd = fullSvd(toDouble(gaussian(std::uint64_t(m), std::uint64_t(n), 2)));
    ASSERT_TRUE(svd);
    const Columns change = saltChange(*svd, 4);
    const double total = change.squaredNorm();
    const auto split = saltSplit(changeInBasis(*svd, change), svd->sigma, total, 4);
    ASSERT_TRUE(split);
    EXPECT_NEAR(split->explained(2) / total, 1, 1e-12);
    EXPECT_NEAR((total - split->explained(1)), 1, 1e-9);
    EXPECT_NEAR(split->explained(0), split->head_diagonal, 1e-12);
    EXPECT_NEAR(split->head_block, split->head_diagonal, 1e-9);
    EXPECT_NEAR(split->cross / total, 0, 1e-12);
    const auto r = double(std::min(m, n));
    EXPECT_EQ(split->parameters(2), 8 + 4 * (r - 4));
    EXPECT_LE(split->one_scale_and_shift, split->head_diagonal * (1 + 1e-12));
  }
}

// One scale and one shift for all: s' = 1.5 s + 0.3.
TEST(SaltSplit, FindsOneScaleAndShift) {
  const auto svd = fullSvd(toDouble(gaussian(12, 12, 2)));
  ASSERT_TRUE(svd);
  Columns d = Columns::Zero(12, 12);
  d.diagonal().head(6) = (0.5 * svd->sigma.head(6)).array() + 0.3;
  const auto split = saltSplit(d, svd->sigma, d.squaredNorm(), 6);
  ASSERT_TRUE(split);
  EXPECT_NEAR(split->one_scale_and_shift, d.squaredNorm(), 1e-10);
  d(0, 0) += 1;
  const auto bent = saltSplit(d, svd->sigma, d.squaredNorm(), 6);
  EXPECT_LT(bent->one_scale_and_shift, bent->head_diagonal - 0.3);
}

TEST(SaltSplit, OfNoOrOnlyAHead) {
  const Columns d = toDouble(gaussian(5, 5, 1));
  const Eigen::VectorXd sigma = Eigen::VectorXd::LinSpaced(5, 5, 1);
  const auto none = saltSplit(d, sigma, d.squaredNorm(), 0), all = saltSplit(d, sigma, d.squaredNorm(), 9);
  ASSERT_TRUE(none && all);
  EXPECT_EQ(none->head_diagonal, 0);
  EXPECT_NEAR(none->explained(5), d.squaredNorm(), 1e-12);  // a LoRA of full rank
  EXPECT_EQ(all->head, 5);
  EXPECT_NEAR(all->explained(3), d.diagonal().squaredNorm(), 1e-12);
}

// As the method prints it: SALT is ahead of LoRA of as many parameters on what SALT made, behind on what
// LoRA made.
TEST(Salt, WinsWhereItsFormIsRight) {
  const auto method = core::methods::findAnalysis("salt");
  ASSERT_TRUE(method);
  const Columns base = toDouble(gaussian(48, 48, 1));
  const auto svd = fullSvd(base);
  std::mt19937 random(3);
  const Columns lora = orthonormal(48, 2, random) * Eigen::Vector2d(8, 6).asDiagonal() *
                       orthonormal(48, 2, random).transpose();
  for (const bool of_salt : {true, false}) {
    AnalysisInput input{.model = "base", .parameters = Parameters((*method)->parameters)};
    ASSERT_TRUE(input.parameters.set("head", 16) && input.parameters.set("rank", 2));
    Columns d = Columns::Zero(48, 48);
    for (Eigen::Index i = 0; i < 16; ++i) d(i, i) = 0.4 * svd->sigma[i];
    const Columns change = of_salt ? product(product(svd->u, d), svd->v.transpose()) : lora;
    input.tunes = {{"tuned", {namedPair("layers.0.a.weight", base, base + change)}}};
    const auto result = core::methods::runAnalysis(**method, input);
    ASSERT_TRUE(result) << result.error().describe();
    const auto& row = result->tables[0].rows[0];
    const double salt = std::get<double>(row[9]), other = std::get<double>(row[10]);
    if (of_salt) {
      EXPECT_NEAR(salt, 1, 1e-9);
      EXPECT_LT(other, 0.4);
    } else {
      EXPECT_LT(salt, 0.7);
      EXPECT_GT(other, salt);
    }
  }
}

}  // namespace
}  // namespace vitrine::test::salt_test
