// The gates of research/svd.md, section 4, on the CPU.
#include "core/spectra/lapack_spectrum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <thread>

#include "core/spectra/spectrum_matrices.h"
#include "core/spectra/tridiagonal.h"

namespace vitrine::core::lapack_spectrum_test {
namespace {

using testing::HasSubstr;

void expectWithinGates(const DenseMatrix& matrix, const std::string& what) {
  SCOPED_TRACE(what);
  const auto spectrum = lapackSpectrum(matrix);
  ASSERT_TRUE(spectrum) << spectrum.error().describe();
  test::expectGates(*spectrum, matrix);
}

TEST(LapackSpectrum, HoldsTheGatesOnEveryKindOfSpectrum) {
  for (const auto& [rows, columns] :
       {std::pair<Eigen::Index, Eigen::Index>{48, 48}, {37, 91}, {130, 33}, {1100, 17}})
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns)))
      expectWithinGates(test::withSigma(rows, columns, shape.sigma),
                        fmt::format("{} of {} x {}", shape.name, rows, columns));
}

TEST(LapackSpectrum, HoldsTheGatesOnGaussiansOfOddShapes) {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{1, 1},
                                      {1, 300},
                                      {300, 1},
                                      {2, 3},
                                      {129, 127},
                                      {64, 1025},
                                      {513, 64}})
    expectWithinGates(test::gaussian(rows, columns), fmt::format("{} x {}", rows, columns));
}

// What a file's Q4_K and BF16 mean is exact in float32: the gates hold for it as for any other.
TEST(LapackSpectrum, HoldsTheGatesOnQuantizedNumbers) {
  expectWithinGates(test::bfloat16Matrix(), "BF16");
  expectWithinGates(test::q4kMatrix(), "Q4_K");
}

TEST(LapackSpectrum, KnowsNothingOfScale) {
  for (const double scale : {1e-36, 1e30}) {
    DenseMatrix matrix = test::gaussian(40, 60);
    for (float& value : matrix.values) value *= float(scale);
    expectWithinGates(matrix, fmt::format("times {}", scale));
  }
}

TEST(LapackSpectrum, OfZerosIsZero) {
  const auto spectrum = lapackSpectrum({5, 7, std::vector<float>(35)});
  ASSERT_TRUE(spectrum) << spectrum.error().describe();
  EXPECT_EQ(spectrum->sigma, std::vector<double>(5));
  EXPECT_EQ(spectrum->certificate.energy, 0);
  EXPECT_EQ(spectrum->frobenius, 0);
}

TEST(LapackSpectrum, RefusesWhatIsNotFiniteWithItsPlace) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    DenseMatrix matrix = test::gaussian(5, 7);
    matrix.values[3 * 7 + 2] = bad;
    const auto spectrum = lapackSpectrum(matrix);
    ASSERT_FALSE(spectrum);
    EXPECT_EQ(spectrum.error().code, ErrorCode::kInvalidFile);
    EXPECT_THAT(spectrum.error().message, HasSubstr("(3, 2)"));
    EXPECT_FALSE(jacobiSpectrum(matrix));
  }
  EXPECT_FALSE(lapackSpectrum({0, 7, {}}));
}

TEST(LapackSpectrum, IsTheSameToTheBitEachTime) {
  const DenseMatrix matrix = test::gaussian(150, 200);
  EXPECT_EQ(lapackSpectrum(matrix)->sigma, lapackSpectrum(matrix)->sigma);
}

// Columns of very different sizes determine even the smallest value to full relative accuracy, and Jacobi
// rotations find it there.
TEST(LapackSpectrum, CanBeStoppedWithinAMatrix) {
  std::stop_source stop;
  std::optional<Result<Spectrum>> result;
  const DenseMatrix large{1500, 1500, std::vector<float>(1500 * 1500, 1.0f)};
  std::jthread computing([&] { result = lapackSpectrum(large, stop.get_token()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stop.request_stop();
  computing.join();
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, ErrorCode::kCancelled);
}

// In long double: columns turned against each other until all are orthogonal; then their sizes.
std::vector<long double> exactSigma(const DenseMatrix& matrix) {
  using Column = Eigen::Matrix<long double, Eigen::Dynamic, 1>;
  std::vector<Column> columns(matrix.columns, Column(Eigen::Index(matrix.rows)));
  for (std::size_t i = 0; i < matrix.values.size(); ++i)
    columns[i % matrix.columns][Eigen::Index(i / matrix.columns)] = matrix.values[i];
  for (int sweep = 0; sweep < 30; ++sweep)
    for (std::size_t p = 0; p < columns.size(); ++p)
      for (std::size_t q = p + 1; q < columns.size(); ++q) {
        const long double inner = columns[p].dot(columns[q]);
        if (inner == 0) continue;
        const long double zeta = (columns[q].squaredNorm() - columns[p].squaredNorm()) / (2 * inner);
        const long double tangent = std::copysign(1 / (std::abs(zeta) + std::hypot(1.0L, zeta)), zeta);
        const long double cosine = 1 / std::hypot(1.0L, tangent);
        const Column turned = cosine * (columns[p] - tangent * columns[q]);
        columns[q] = cosine * (columns[q] + tangent * columns[p]);
        columns[p] = turned;
      }
  std::vector<long double> sigma;
  for (const Column& column : columns) sigma.push_back(column.norm());
  std::ranges::sort(sigma, std::greater<>());
  return sigma;
}

TEST(JacobiSpectrum, FindsValuesFarBelowTheFloor) {
  DenseMatrix matrix = test::gaussian(40, 12);
  for (std::size_t i = 0; i < matrix.values.size(); ++i)
    matrix.values[i] = std::ldexp(matrix.values[i], -5 * int(i % 12));
  const std::vector<long double> expected = exactSigma(matrix);
  const auto spectrum = jacobiSpectrum(matrix);
  ASSERT_TRUE(spectrum) << spectrum.error().describe();
  ASSERT_LT(spectrum->sigma.back(), 1e-12 * spectrum->sigma.front());
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(spectrum->sigma[i] / double(expected[i]), 1, 1e-10);
  EXPECT_LE(spectrum->certificate.energy, 1e-13);
}

TEST(SturmCount, CountsTheEigenvaluesBelow) {
  // 2 on the diagonal, -1 beside: 2 - 2 cos(k pi / (n + 1)).
  constexpr int kSize = 50;
  const Tridiagonal t{std::vector<double>(kSize, 2), std::vector<double>(kSize - 1, -1)};
  EXPECT_EQ(sturmCount(t, 0), 0);
  EXPECT_EQ(sturmCount(t, 4), kSize);
  for (int k = 1; k < kSize; ++k) {
    const double between = 2 - 2 * std::cos((k + 0.5) * M_PI / (kSize + 1));
    EXPECT_EQ(sturmCount(t, between), k);
  }
  EXPECT_EQ(sturmCount({{1, 1, 2}, {0, 0}}, 1.5), 2);  // pivots of zero do no harm
}

// A wrong value is noticed.
TEST(SturmCount, DisagreesWithAWrongSpectrum) {
  const Tridiagonal t{{1, 2, 3, 4, 5, 6, 7}, std::vector<double>(6)};
  SpectrumCertificate right, wrong;
  certifyByCounts(t, std::vector<double>{7, 6, 5, 4, 3, 2, 1}, right);
  EXPECT_EQ(right.shifts, 3);
  EXPECT_EQ(right.agreeing, 3);
  certifyByCounts(t, std::vector<double>{7, 6, 5, 4.9, 1.1, 1, 1}, wrong);
  EXPECT_LT(wrong.agreeing, wrong.shifts);
}

}  // namespace
}  // namespace vitrine::core::lapack_spectrum_test
