// The gates of research/svd.md, section 4, for the shaders.
#include "core/spectra/device_spectra.h"

#include <gmock/gmock.h>

#include "core/spectra/spectrum_matrices.h"
#include "gpu/commands.h"
#include "support/gpu_fixture.h"

namespace vitrine::core::device_spectra_test {
namespace {

using test::expectOk;
using test::expectValue;
using testing::HasSubstr;

class DeviceSpectraTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (!device().info().features.float64) GTEST_SKIP() << "no double precision";
    spectra_ = expectValue(DeviceSpectra::create(device()));
  }
  void TearDown() override {
    spectra_.reset();
    GpuTest::TearDown();
  }

  void expectWithinGates(const std::vector<DenseMatrix>& matrices, const std::string& what) {
    SCOPED_TRACE(what);
    const auto found = expectValue(spectra_->spectraOf(matrices));
    ASSERT_EQ(found.size(), matrices.size());
    for (std::size_t i = 0; i < matrices.size(); ++i) {
      SCOPED_TRACE(fmt::format("matrix {}", i));
      test::expectGates(found[i], matrices[i]);
      EXPECT_EQ(found[i].path, SpectrumPath::kDevice);
    }
  }

  std::unique_ptr<DeviceSpectra> spectra_;
};

TEST_F(DeviceSpectraTest, HoldsTheGatesOnEveryKindOfSpectrum) {
  for (const auto& [rows, columns] : {std::pair<Eigen::Index, Eigen::Index>{48, 48}, {37, 91}, {130, 33}}) {
    std::vector<DenseMatrix> matrices;
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns)))
      matrices.push_back(test::withSigma(rows, columns, shape.sigma));
    expectWithinGates(matrices, fmt::format("{} x {}", rows, columns));
  }
}

// Sizes around those of panels, tiles, workgroups and pairs.
TEST_F(DeviceSpectraTest, HoldsTheGatesOnOddShapes) {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{1, 1},
                                      {1, 300},
                                      {300, 1},
                                      {2, 2},
                                      {3, 2},
                                      {15, 40},
                                      {16, 16},
                                      {17, 17},
                                      {18, 90},
                                      {65, 64},
                                      {128, 128},
                                      {129, 131},
                                      {257, 300}})
    expectWithinGates({test::gaussian(rows, columns, 1), test::gaussian(rows, columns, 2)},
                      fmt::format("{} x {}", rows, columns));
}

TEST_F(DeviceSpectraTest, HoldsTheGatesByPanelsAndByBand) {
  for (const auto reduction : {DeviceSpectra::Reduction::kPanels, DeviceSpectra::Reduction::kBand}) {
    SCOPED_TRACE(fmt::format("reduction {}", static_cast<int>(reduction)));
    spectra_->reduceBy(reduction);
    for (const auto& [rows, columns] :
         {std::pair<Eigen::Index, Eigen::Index>{33, 40}, {70, 72}, {130, 129}}) {
      std::vector<DenseMatrix> matrices;
      for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns)))
        matrices.push_back(test::withSigma(rows, columns, shape.sigma));
      expectWithinGates(matrices, fmt::format("{} x {}", rows, columns));
    }
    expectWithinGates({test::gaussian(300, 270)}, "three blocks of rows");
  }
}

// Sizes around those of panels, hops and groups of sweeps.
TEST_F(DeviceSpectraTest, HoldsTheGatesByBandOnOddShapes) {
  spectra_->reduceBy(DeviceSpectra::Reduction::kBand);
  for (const std::uint64_t n : {1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 34, 49, 64, 65, 145, 161})
    expectWithinGates({test::gaussian(n, n + 3, 1), test::gaussian(n, n + 3, 2)}, fmt::format("{}", n));
}

TEST_F(DeviceSpectraTest, HoldsTheGatesInLargeBatches) {
  std::vector<DenseMatrix> wide(1001, test::gaussian(5, 30)), tall(340, test::gaussian(133, 66));
  wide.back() = test::gaussian(5, 30, 2);
  tall.back() = test::gaussian(133, 66, 2);
  for (const auto& matrices : {wide, tall}) {
    const auto found = expectValue(spectra_->spectraOf(matrices));
    test::expectGates(found.front(), matrices.front());
    test::expectGates(found.back(), matrices.back());
  }
}

TEST_F(DeviceSpectraTest, HoldsTheGatesOnQuantizedNumbers) {
  expectWithinGates({test::bfloat16Matrix(), test::q4kMatrix()}, "BF16, Q4_K");
}

TEST_F(DeviceSpectraTest, KnowsNothingOfScale) {
  std::vector<DenseMatrix> matrices(2, test::gaussian(40, 60));
  for (float& value : matrices[0].values) value *= 1e-36f;
  for (float& value : matrices[1].values) value *= 1e30f;
  expectWithinGates(matrices, "small and large");
}

// What spectraOf() did to a matrix does not stick to what comes in its place.
TEST_F(DeviceSpectraTest, ForgetsTheScaleOfAnEarlierMatrix) {
  const DenseMatrix matrix = test::gaussian(20, 30);
  DenseMatrix large = matrix;
  for (float& value : large.values) value *= 1e30f;
  expectWithinGates({large}, "large");
  expectOk(gpu::upload(device(), std::as_bytes(std::span(matrix.values)), spectra_->input(0)));
  expectOk(spectra_->compute());
  test::expectGates(expectValue(spectra_->spectra())[0], matrix);
}

TEST_F(DeviceSpectraTest, OfZerosIsZero) {
  const auto found = expectValue(spectra_->spectraOf(std::vector{DenseMatrix{5, 7, std::vector<float>(35)}}));
  for (const double value : found[0].sigma) EXPECT_LT(value, 1e-150);
  EXPECT_LT(found[0].certificate.energy, 1e-300);
}

TEST_F(DeviceSpectraTest, IsTheSameToTheBitEachTime) {
  const std::vector<DenseMatrix> matrices{test::gaussian(150, 200)};
  const auto first = expectValue(spectra_->spectraOf(matrices));
  expectOk(spectra_->compute());
  EXPECT_EQ(first[0].sigma, expectValue(spectra_->spectra())[0].sigma);
  EXPECT_EQ(first[0].sigma,
            expectValue(spectra_->spectraOf(std::vector{matrices[0], test::gaussian(150, 200, 5)}))[0].sigma);
}

TEST_F(DeviceSpectraTest, RefusesWhatItCannotDo) {
  DenseMatrix matrix = test::gaussian(5, 7);
  matrix.values[3 * 7 + 2] = NAN;
  const auto spectrum = spectra_->spectraOf(std::vector{matrix});
  ASSERT_FALSE(spectrum);
  EXPECT_THAT(spectrum.error().message, HasSubstr("(3, 2)"));
  EXPECT_FALSE(spectra_->reserve(0, 7, 1));
  const auto large = spectra_->reserve(1 << 20, 1 << 20, 1);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kUnsupported);
  const auto many = spectra_->reserve(40'000, 40'000, 1'000);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, ErrorCode::kOutOfMemory);
}

TEST_F(DeviceSpectraTest, StopsWhenAsked) {
  expectOk(spectra_->reserve(100, 100, 1));
  const DenseMatrix matrix = test::gaussian(100, 100);
  expectOk(gpu::upload(device(), std::as_bytes(std::span(matrix.values)), spectra_->input(0)));
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = spectra_->compute(stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  expectOk(spectra_->compute());
  test::expectGates(expectValue(spectra_->spectra())[0], matrix);
}

}  // namespace
}  // namespace vitrine::core::device_spectra_test
