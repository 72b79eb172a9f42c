// Top-k triplets against full decompositions, and what their residuals promise.
#include "core/spectra/top_k.h"

#include <gmock/gmock.h>

#include "core/spectra/spectrum_matrices.h"

namespace vitrine::core::top_k_test {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

void expectTriplets(const MatrixXd& a, const TopK& top, const TopKOptions& options) {
  const auto exact = fullSvd(a);
  ASSERT_TRUE(exact);
  const double s1 = exact->sigma[0];
  const Index k = top.svd.sigma.size();
  ASSERT_LE(k, options.k);
  EXPECT_LE(test::gramMinusIdentity(top.svd.u).norm(), 1e-10);
  EXPECT_LE(test::gramMinusIdentity(top.svd.v).norm(), 1e-6);  // by dividing by sigma
  const MatrixXd back = test::product(a.transpose(), top.svd.u) - top.svd.v * top.svd.sigma.asDiagonal();
  const MatrixXd left = test::product(a, top.svd.v) - top.svd.u * top.svd.sigma.asDiagonal();
  for (Index i = 0; i < k; ++i) {
    EXPECT_NEAR(std::hypot(back.col(i).norm(), left.col(i).norm()), top.residuals[i], 1e-9 * s1) << i;
    EXPECT_LE(top.svd.sigma[i], exact->sigma[i] * (1 + 1e-12)) << i;
    const double nearest = (exact->sigma.array() - top.svd.sigma[i]).abs().minCoeff();
    EXPECT_LE(nearest, top.residuals[i] + 1e-12 * s1) << i;
  }
  EXPECT_EQ(top.converged, k == 0 || top.residuals.maxCoeff() <= options.tolerance * top.svd.sigma[0]);
}

TEST(TopSingular, FindsTripletsOfEveryKindOfMatrix) {
  const TopKOptions options{.k = 6, .oversampling = 4};
  for (const auto& [rows, columns] : {std::pair<Index, Index>{60, 60}, {37, 91}, {130, 33}})
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns))) {
      SCOPED_TRACE(fmt::format("{} x {}, {}", rows, columns, shape.name));
      const MatrixXd a = toDouble(test::withSigma(rows, columns, shape.sigma));
      const auto top = topSingular(operatorOf(a), options);
      ASSERT_TRUE(top) << top.error().describe();
      expectTriplets(a, *top, options);
    }
}

// Values like those of weights: spikes on a bulk, where research/svd.md saw subspace iteration err by 6 to 8
// %.
TEST(TopSingular, HoldsItsGateOnSpikesAboveABulk) {
  MatrixXd a = toDouble(test::gaussian(300, 200, 1));
  std::mt19937 random(2);
  VectorXd spikes = VectorXd::LinSpaced(16, 80, 33);
  a += test::orthonormal(300, 16, random) * spikes.asDiagonal() *
       test::orthonormal(200, 16, random).transpose();
  const TopKOptions options{.k = 16};
  const auto top = topSingular(operatorOf(a), options);
  ASSERT_TRUE(top);
  EXPECT_TRUE(top->converged);
  expectTriplets(a, *top, options);
  const auto exact = fullSvd(a);
  for (Index i = 0; i < 16; ++i) EXPECT_NEAR(top->svd.sigma[i] / exact->sigma[i], 1, 1e-4) << i;
}

TEST(TopSingular, EndsWhereTheRankDoes) {
  std::mt19937 random(3);
  const MatrixXd a = test::orthonormal(40, 3, random) * test::orthonormal(25, 3, random).transpose();
  const auto top = topSingular(operatorOf(a), {.k = 8});
  ASSERT_TRUE(top);
  EXPECT_EQ(top->svd.sigma.size(), 3);
  EXPECT_TRUE(top->converged);
  EXPECT_EQ(topSingular(operatorOf(MatrixXd::Zero(5, 4).eval()), {})->svd.sigma.size(), 0);
}

TEST(TopSingular, IsExactOnceItSpansEverything) {
  for (const auto& [rows, columns] :
       {std::pair<std::uint64_t, std::uint64_t>{1, 1}, {1, 9}, {9, 1}, {7, 5}}) {
    const MatrixXd a = toDouble(test::gaussian(rows, columns));
    const TopKOptions options{.k = 100};
    const auto top = topSingular(operatorOf(a), options);
    ASSERT_TRUE(top);
    ASSERT_EQ(top->svd.sigma.size(), std::min(a.rows(), a.cols()));
    EXPECT_LE(top->residuals.maxCoeff(), 1e-8 * top->svd.sigma[0]);
    expectTriplets(a, *top, options);
  }
}

TEST(TopSingular, TakesAProductByItsFactors) {
  const LowRankProduct product{toDouble(test::gaussian(50, 20, 1)), toDouble(test::gaussian(20, 70, 2))};
  const TopKOptions options{.k = 5};
  const auto top = topSingular(operatorOf(product), options);
  ASSERT_TRUE(top);
  expectTriplets(product.left * product.right, *top, options);
}

TEST(TopSingular, SaysWhenItHasNotConverged) {
  const MatrixXd a = toDouble(test::gaussian(200, 200));
  const auto top = topSingular(operatorOf(a), {.k = 4, .tolerance = 1e-12, .most_blocks = 2});
  ASSERT_TRUE(top);
  EXPECT_FALSE(top->converged);
  EXPECT_EQ(top->blocks, 2);
  EXPECT_GT(top->residuals.maxCoeff(), 1e-12 * top->svd.sigma[0]);
}

TEST(TopSingular, RefusesNothingAndStops) {
  const MatrixXd a = MatrixXd::Ones(3, 3);
  EXPECT_EQ(topSingular(operatorOf(a), {.k = 0}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(topSingular(operatorOf(MatrixXd(0, 3))).error().code, ErrorCode::kInvalidArgument);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(topSingular(operatorOf(a), {}, stop.get_token()).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace vitrine::core::top_k_test
