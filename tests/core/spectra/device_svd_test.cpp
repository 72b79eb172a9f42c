// The gate of research/svd.md for full vectors, and far below it: double precision in all directions.
#include "core/spectra/device_svd.h"

#include <gmock/gmock.h>

#include "core/spectra/device_operator.h"
#include "core/spectra/spectrum_matrices.h"
#include "support/gpu_fixture.h"

namespace vitrine::core::device_svd_test {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using test::expectValue;

class DeviceSvdTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (!device().info().features.float64) GTEST_SKIP() << "no double precision";
    svd_ = expectValue(DeviceSvd::create(device()));
  }
  void TearDown() override {
    svd_.reset();
    GpuTest::TearDown();
  }

  FullSvd expectDecomposed(const MatrixXd& a) {
    const FullSvd found = expectValue(svd_->decompose(a)), expected = expectValue(fullSvd(a));
    const Index r = std::min(a.rows(), a.cols());
    EXPECT_EQ(found.u.rows(), a.rows());
    EXPECT_EQ(found.v.rows(), a.cols());
    EXPECT_EQ(found.sigma.size(), r);
    const double s1 = std::max(expected.sigma[0], std::numeric_limits<double>::min());
    const double rebuilt = (test::fromSvd(found.u, found.sigma, found.v) - a).norm();
    EXPECT_LE(rebuilt, 1e-11 * s1) << rebuilt / s1;
    EXPECT_LE((found.sigma - expected.sigma).cwiseAbs().maxCoeff(), 1e-12 * s1);
    // Newton's last step squares at most 1e-5; U's is that of A V / sigma with sigma from 1e-4 of the largest
    // on.
    const bool u_is_own = a.rows() <= a.cols();
    const double own = 1e-10, other = 1e-7;
    EXPECT_LE(test::gramMinusIdentity(found.u).cwiseAbs().maxCoeff(), u_is_own ? own : other);
    EXPECT_LE(test::gramMinusIdentity(found.v).cwiseAbs().maxCoeff(), u_is_own ? other : own);
    for (Index i = 1; i < r; ++i) EXPECT_GE(found.sigma[i - 1], found.sigma[i] * (1 - 1e-14));
    return found;
  }

  std::unique_ptr<DeviceSvd> svd_;
};

MatrixXd gaussian(std::uint64_t rows, std::uint64_t columns) {
  return toDouble(test::gaussian(rows, columns));
}

TEST_F(DeviceSvdTest, RebuildsEveryKindOfMatrix) {
  for (const auto& [rows, columns] : {std::pair<Index, Index>{48, 48}, {37, 91}, {130, 33}})
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns))) {
      SCOPED_TRACE(fmt::format("{} x {}, {}", rows, columns, shape.name));
      expectDecomposed(toDouble(test::withSigma(rows, columns, shape.sigma)));
    }
}

// Sizes around those of blocks of reflections, tiles, panels and pairs; the larger ones by panels too.
TEST_F(DeviceSvdTest, RebuildsOddShapes) {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{1, 1},
                                      {1, 9},
                                      {9, 1},
                                      {2, 2},
                                      {3, 2},
                                      {31, 32},
                                      {32, 33},
                                      {33, 65},
                                      {64, 64},
                                      {65, 70},
                                      {129, 100},
                                      {211, 260}}) {
    SCOPED_TRACE(fmt::format("{} x {}", rows, columns));
    expectDecomposed(gaussian(rows, columns));
    EXPECT_FALSE(svd_->path().host_vectors);
    EXPECT_EQ(svd_->path().tail, 0);
  }
}

TEST_F(DeviceSvdTest, LeavesEqualValuesToLapack) {
  const FullSvd svd = expectDecomposed(MatrixXd::Identity(40, 40));
  EXPECT_TRUE(svd_->path().host_vectors);
  EXPECT_NEAR(svd.sigma[39], 1, 1e-14);
}

TEST_F(DeviceSvdTest, CompletesWhatLowRankLeavesOpen) {
  std::mt19937 random(3);
  expectDecomposed(test::orthonormal(50, 4, random) * test::orthonormal(30, 4, random).transpose());
  EXPECT_EQ(svd_->path().tail, 26);
  expectDecomposed(MatrixXd::Zero(7, 5));
}

TEST_F(DeviceSvdTest, TakesAnyScale) {
  for (const double scale : {1e-200, 1e200}) {
    const FullSvd found = expectValue(svd_->decompose(scale * gaussian(20, 30)));
    const FullSvd expected = expectValue(fullSvd(gaussian(20, 30)));
    EXPECT_LE((found.sigma / scale - expected.sigma).cwiseAbs().maxCoeff(), 1e-13 * expected.sigma[0]);
  }
}

TEST_F(DeviceSvdTest, IsTheSameToTheBitAndStops) {
  const MatrixXd a = gaussian(90, 75);
  const FullSvd first = expectValue(svd_->decompose(a)), again = expectValue(svd_->decompose(a));
  EXPECT_TRUE(first.u == again.u && first.v == again.v && first.sigma == again.sigma);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(svd_->decompose(a, stop.get_token()).error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(expectValue(svd_->decompose(a)).u == first.u);
}

TEST_F(DeviceSvdTest, RefusesNaNWithItsPlace) {
  MatrixXd a = gaussian(5, 6);
  a(2, 3) = std::nan("");
  EXPECT_THAT(svd_->decompose(a).error().message, testing::HasSubstr("(2, 3)"));
  EXPECT_EQ(svd_->decompose(MatrixXd(0, 3)).error().code, ErrorCode::kInvalidArgument);
}

using DeviceOperatorTest = DeviceSvdTest;

TEST_F(DeviceOperatorTest, MultipliesAsTheMatrixDoes) {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{1, 1}, {70, 33}, {31, 130}}) {
    const MatrixXd a = gaussian(rows, columns), x = gaussian(columns, 9), y = gaussian(rows, 5);
    const auto on_device = expectValue(DeviceOperator::create(device(), a));
    const LinearOperator linear = on_device->linear();
    EXPECT_LE((expectValue(linear.times(x)) - test::product(a, x)).norm(), 1e-13 * a.norm() * x.norm());
    EXPECT_LE((expectValue(linear.transposed_times(y)) - test::product(a.transpose(), y)).norm(),
              1e-13 * a.norm() * y.norm());
  }
}

TEST_F(DeviceOperatorTest, GivesTheLargestTriplets) {
  const MatrixXd a = gaussian(60, 90);
  const auto on_device = expectValue(DeviceOperator::create(device(), a));
  const TopK top = expectValue(topSingular(on_device->linear(), {.k = 5})),
             expected = expectValue(topSingular(operatorOf(a), {.k = 5}));
  EXPECT_LE((top.svd.sigma - expected.svd.sigma).norm(), 1e-10 * expected.svd.sigma[0]);
  EXPECT_TRUE(top.converged);
}

}  // namespace
}  // namespace vitrine::core::device_svd_test
