// The gates of research/svd.md, section 4, for the shaders, in doubles and in pairs of floats.
#include "core/spectra/device_spectra.h"

#include <gmock/gmock.h>

#include "core/spectra/pair_arithmetic.h"
#include "core/spectra/spectrum_matrices.h"
#include "gpu/commands.h"
#include "support/gpu_fixture.h"

namespace vitrine::core::device_spectra_test {
namespace {

using test::expectOk;
using test::expectValue;
using testing::HasSubstr;

class DeviceSpectraTest : public test::GpuTest, public testing::WithParamInterface<SumForm> {
 protected:
  bool pairs() const { return GetParam() == SumForm::kPair; }
  const test::SigmaGates& gates() const { return pairs() ? test::kPairGates : test::kDoubleGates; }

  void SetUp() override {
    GpuTest::SetUp();
    if (!pairs() && !device().info().features.float64) GTEST_SKIP() << "no double precision";
    spectra_ = expectValue(DeviceSpectra::create(device(), GetParam()));
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
      test::expectGates(found[i], matrices[i], gates());
      EXPECT_EQ(found[i].path, pairs() ? SpectrumPath::kDevicePairs : SpectrumPath::kDevice);
    }
  }

  std::unique_ptr<DeviceSpectra> spectra_;
};

TEST_P(DeviceSpectraTest, HoldsTheGatesOnEveryKindOfSpectrum) {
  for (const auto& [rows, columns] : {std::pair<Eigen::Index, Eigen::Index>{48, 48}, {37, 91}, {130, 33}}) {
    std::vector<DenseMatrix> matrices;
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns)))
      matrices.push_back(test::withSigma(rows, columns, shape.sigma));
    expectWithinGates(matrices, fmt::format("{} x {}", rows, columns));
  }
}

// Sizes around those of panels, tiles, workgroups and pairs.
TEST_P(DeviceSpectraTest, HoldsTheGatesOnOddShapes) {
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

using DeviceReductionTest = DeviceSpectraTest;  // those of doubles alone

TEST_P(DeviceReductionTest, HoldsTheGatesByPanelsAndByBand) {
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
TEST_P(DeviceReductionTest, HoldsTheGatesByBandOnOddShapes) {
  spectra_->reduceBy(DeviceSpectra::Reduction::kBand);
  for (const std::uint64_t n : {1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 34, 49, 64, 65, 145, 161})
    expectWithinGates({test::gaussian(n, n + 3, 1), test::gaussian(n, n + 3, 2)}, fmt::format("{}", n));
}

TEST_P(DeviceSpectraTest, HoldsTheGatesInLargeBatches) {
  std::vector<DenseMatrix> wide(1001, test::gaussian(5, 30)), tall(340, test::gaussian(133, 66));
  wide.back() = test::gaussian(5, 30, 2);
  tall.back() = test::gaussian(133, 66, 2);
  for (const auto& matrices : {wide, tall}) {
    const auto found = expectValue(spectra_->spectraOf(matrices));
    test::expectGates(found.front(), matrices.front(), gates());
    test::expectGates(found.back(), matrices.back(), gates());
  }
}

TEST_P(DeviceSpectraTest, HoldsTheGatesOnQuantizedNumbers) {
  expectWithinGates({test::bfloat16Matrix(), test::q4kMatrix()}, "BF16, Q4_K");
}

TEST_P(DeviceSpectraTest, KnowsNothingOfScale) {
  std::vector<DenseMatrix> matrices(2, test::gaussian(40, 60));
  for (float& value : matrices[0].values) value *= 1e-36f;
  for (float& value : matrices[1].values) value *= 1e30f;
  expectWithinGates(matrices, "small and large");
}

// What spectraOf() did to a matrix does not stick to what comes in its place.
TEST_P(DeviceSpectraTest, ForgetsTheScaleOfAnEarlierMatrix) {
  const DenseMatrix matrix = test::gaussian(20, 30);
  DenseMatrix large = matrix;
  for (float& value : large.values) value *= 1e30f;
  expectWithinGates({large}, "large");
  expectOk(gpu::upload(device(), std::as_bytes(std::span(matrix.values)), spectra_->input(0)));
  expectOk(spectra_->compute());
  test::expectGates(expectValue(spectra_->spectra())[0], matrix, gates());
}

TEST_P(DeviceSpectraTest, OfZerosIsZero) {
  const auto found = expectValue(spectra_->spectraOf(std::vector{DenseMatrix{5, 7, std::vector<float>(35)}}));
  for (const double value : found[0].sigma) EXPECT_LT(value, 1e-150);
  EXPECT_LT(found[0].certificate.energy, 1e-300);
}

TEST_P(DeviceSpectraTest, IsTheSameToTheBitEachTime) {
  using Reduction = DeviceSpectra::Reduction;
  for (const Reduction reduction : {Reduction::kColumns, Reduction::kPanels, Reduction::kBand}) {
    SCOPED_TRACE(fmt::format("reduction {}", static_cast<int>(reduction)));
    spectra_->reduceBy(reduction);
    const std::vector<DenseMatrix> matrices{test::gaussian(150, 200)};
    const auto first = expectValue(spectra_->spectraOf(matrices));
    expectOk(spectra_->compute());
    EXPECT_EQ(first[0].sigma, expectValue(spectra_->spectra())[0].sigma);
    EXPECT_EQ(
        first[0].sigma,
        expectValue(spectra_->spectraOf(std::vector{matrices[0], test::gaussian(150, 200, 5)}))[0].sigma);
  }
}

TEST_P(DeviceSpectraTest, RefusesWhatItCannotDo) {
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

TEST_P(DeviceSpectraTest, StopsWhenAsked) {
  expectOk(spectra_->reserve(100, 100, 1));
  const DenseMatrix matrix = test::gaussian(100, 100);
  expectOk(gpu::upload(device(), std::as_bytes(std::span(matrix.values)), spectra_->input(0)));
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = spectra_->compute(stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  expectOk(spectra_->compute());
  test::expectGates(expectValue(spectra_->spectra())[0], matrix, gates());
}

INSTANTIATE_TEST_SUITE_P(Forms, DeviceSpectraTest, testing::Values(SumForm::kDouble, SumForm::kPair),
                         [](const auto& info) { return std::string(name(info.param)); });
INSTANTIATE_TEST_SUITE_P(Doubles, DeviceReductionTest, testing::Values(SumForm::kDouble),
                         [](const auto& info) { return std::string(name(info.param)); });

// A device that hides what it has.
TEST(DeviceSpectraWithoutDoublesTest, ComputesInPairs) {
  gpu::DeviceOptions options = test::testDeviceOptions();
  options.float64 = false;
  const auto device = expectValue(gpu::Device::create(options));
  const auto doubles = DeviceSpectra::create(*device, SumForm::kDouble);
  ASSERT_FALSE(doubles);
  EXPECT_EQ(doubles.error().code, ErrorCode::kUnsupported);
  const DenseMatrix matrix = test::gaussian(70, 41);
  {
    const auto spectra = expectValue(DeviceSpectra::create(*device));
    EXPECT_THAT(spectra->text(), testing::EndsWith(", pairs of floats"));
    const Spectrum found = expectValue(spectra->spectraOf(std::vector{matrix}))[0];
    EXPECT_EQ(found.path, SpectrumPath::kDevicePairs);
    test::expectGates(found, matrix, test::kPairGates);
  }
  EXPECT_THAT(device->validationMessages(), testing::IsEmpty());
}

std::vector<double> exactResults(const std::vector<double>& operands) {
  std::vector<double> results;
  for (std::size_t i = 0; i < operands.size(); i += 2) {
    const double a = operands[i], b = operands[i + 1];
    results.insert(results.end(), {a + b, a * b, a / b, std::sqrt(std::abs(a))});
  }
  return results;
}

TEST(PairArithmeticTest, SeesWhatADriverGetsWrong) {
  const std::vector<double> operands = pairOperands(), exact = exactResults(operands);
  EXPECT_EQ(pairMistake(operands, exact), std::nullopt);
  for (const std::size_t kind : {0u, 1u, 2u, 3u}) {
    std::vector<double> rounded = exact;  // as without what rounding takes
    for (std::size_t i = kind; i < rounded.size(); i += 4) rounded[i] = static_cast<float>(rounded[i]);
    const auto mistake = pairMistake(operands, rounded);
    ASSERT_TRUE(mistake);
    EXPECT_THAT(*mistake, HasSubstr("is off by"));
    rounded = exact;
    rounded[rounded.size() - 4 + kind] = NAN;
    EXPECT_TRUE(pairMistake(operands, rounded));
  }
}

}  // namespace
}  // namespace vitrine::core::device_spectra_test
