#include "core/spectra/full_svd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/spectra/spectrum_matrices.h"

namespace vitrine::core::full_svd_test {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::HasSubstr;

void expectSvd(const MatrixXd& a, const std::string& what) {
  SCOPED_TRACE(what);
  const auto svd = fullSvd(a);
  ASSERT_TRUE(svd) << svd.error().describe();
  const Index r = std::min(a.rows(), a.cols());
  ASSERT_EQ(svd->u.cols(), r);
  ASSERT_EQ(svd->v.rows(), a.cols());
  EXPECT_LE(test::gramMinusIdentity(svd->u).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LE(test::gramMinusIdentity(svd->v).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LE((test::fromSvd(svd->u, svd->sigma, svd->v) - a).norm(), 1e-13 * (a.norm() + 1e-300));
  EXPECT_GE(svd->sigma.minCoeff(), 0);
  for (Index i = 0; i < r; ++i) {
    EXPECT_GE(svd->sigma[std::max<Index>(i, 1) - 1], svd->sigma[i]);
    EXPECT_EQ(svd->u.col(i).maxCoeff(), svd->u.col(i).cwiseAbs().maxCoeff()) << i;
  }
}

TEST(FullSvd, ReconstructsEveryKindOfSpectrum) {
  for (const auto& [rows, columns] : {std::pair<Index, Index>{48, 48}, {37, 91}, {130, 33}})
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns)))
      expectSvd(toDouble(test::withSigma(rows, columns, shape.sigma)),
                fmt::format("{} {}", shape.name, rows));
}

TEST(FullSvd, TakesRowsColumnsAndZero) {
  expectSvd(toDouble(test::gaussian(1, 30)), "1 x 30");
  expectSvd(toDouble(test::gaussian(30, 1)), "30 x 1");
  expectSvd(MatrixXd::Constant(1, 1, -3), "1 x 1");
  expectSvd(MatrixXd::Zero(5, 8), "zero");
  expectSvd(toDouble(test::gaussian(9, 7)) * 1e140, "large");
  expectSvd(toDouble(test::gaussian(9, 7)) * 1e-140, "small");
}

TEST(FullSvd, CountsTheRank) {
  std::mt19937 random(3);
  const MatrixXd a = test::orthonormal(20, 4, random) * test::orthonormal(30, 4, random).transpose();
  const auto svd = fullSvd(a);
  ASSERT_TRUE(svd);
  EXPECT_EQ(svd->rank(), 4);
  EXPECT_LE(svd->sigma[4], svd->floor());
  EXPECT_EQ(fullSvd(MatrixXd::Zero(3, 3))->rank(), 0);
}

TEST(FullSvd, RefusesNaNWithItsPlaceAndEmptyMatrices) {
  MatrixXd a = MatrixXd::Ones(4, 5);
  a(2, 3) = NAN;
  auto svd = fullSvd(a);
  ASSERT_FALSE(svd);
  EXPECT_EQ(svd.error().code, ErrorCode::kInvalidFile);
  EXPECT_THAT(svd.error().message, HasSubstr("(2, 3)"));
  a(2, 3) = 1;
  a(0, 4) = -INFINITY;
  EXPECT_THAT(fullSvd(a).error().message, HasSubstr("(0, 4)"));
  EXPECT_EQ(fullSvd(MatrixXd(0, 3)).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::core::full_svd_test
