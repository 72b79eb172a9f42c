#include "core/spectra/spectrum_matrices.h"

#include <gtest/gtest.h>
#include <lapacke.h>

#include <Eigen/QR>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <utility>

#include "core/tensor/dequantize.h"

namespace vitrine::test {

Columns orthonormal(Eigen::Index rows, Eigen::Index columns, std::mt19937& random) {
  std::normal_distribution<double> normal;
  const Columns gaussian = Columns::NullaryExpr(rows, columns, [&] { return normal(random); });
  return Eigen::HouseholderQR<Columns>(gaussian).householderQ() * Columns::Identity(rows, columns);
}

Columns product(const Columns& a, const Columns& b) {
  return a * b;
}

Columns fromSvd(const Columns& u, const Eigen::VectorXd& sigma, const Columns& v) {
  return u * sigma.asDiagonal() * v.transpose();
}

Columns gramMinusIdentity(const Columns& a) {
  return a.transpose() * a - Columns::Identity(a.cols(), a.cols());
}

DenseMatrix toDense(const Columns& a) {
  DenseMatrix matrix{std::uint64_t(a.rows()), std::uint64_t(a.cols()),
                     std::vector<float>(std::size_t(a.size()))};
  Eigen::Map<Rows>(matrix.values.data(), a.rows(), a.cols()) = a.cast<float>();
  return matrix;
}

DenseMatrix withSigma(Eigen::Index rows, Eigen::Index columns, const Eigen::VectorXd& sigma,
                      std::uint32_t seed) {
  std::mt19937 random(seed);
  return toDense(orthonormal(rows, sigma.size(), random) * sigma.asDiagonal() *
                 orthonormal(columns, sigma.size(), random).transpose());
}

DenseMatrix gaussian(std::uint64_t rows, std::uint64_t columns, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  DenseMatrix matrix{rows, columns, std::vector<float>(rows * columns)};
  for (float& value : matrix.values) value = normal(random);
  return matrix;
}

DenseMatrix bfloat16Matrix() {
  DenseMatrix matrix = gaussian(96, 256);
  for (float& value : matrix.values)
    value = core::bfloat16ToFloat(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
  return matrix;
}

DenseMatrix q4kMatrix() {
  constexpr std::uint64_t kRows = 96;
  const core::DTypeInfo& type = core::info(core::DType::kQ4_K);
  std::mt19937 random(5);
  std::vector<std::byte> blocks(kRows * type.block_bytes);
  for (std::byte& byte : blocks) byte = std::byte(random() & 0xff);
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::uint16_t scales[] = {0x2800, 0x2400};  // halves, finite
    std::memcpy(&blocks[row * type.block_bytes], scales, sizeof scales);
  }
  DenseMatrix matrix{kRows, type.block_size, std::vector<float>(kRows * type.block_size)};
  if (!core::dequantize(core::DType::kQ4_K, blocks, matrix.values)) ADD_FAILURE() << "dequantize";
  return matrix;
}

std::vector<Shape> hostileSpectra(Eigen::Index n) {
  std::vector<Shape> shapes;
  const auto add = [&](std::string name, auto value) {
    Eigen::VectorXd sigma(n);
    for (Eigen::Index i = 0; i < n; ++i) sigma[i] = value(double(i) / double(n));
    shapes.push_back({std::move(name), sigma});
  };
  add("flat", [](double x) { return 3 - 2 * x; });
  add("power law", [n](double x) { return std::pow(1 + x * double(n), -0.8); });
  add("condition 1e6", [](double x) { return std::pow(10.0, -6 * x); });
  add("condition 1e12", [](double x) { return std::pow(10.0, -12 * x); });
  add("clusters", [](double x) { return x < 0.3 ? 2.0 : x < 0.7 ? 1.0 : 1e-3; });
  add("half the rank", [](double x) { return x < 0.5 ? 1 - x : 0.0; });
  add("one outlier", [](double x) { return x == 0 ? 1e4 : 1.0; });
  return shapes;
}

std::vector<double> referenceSigma(const DenseMatrix& matrix) {
  std::vector<double> a(matrix.values.begin(), matrix.values.end()), sigma(matrix.shortSide());
  double unused = 0;
  const auto m = lapack_int(matrix.columns), n = lapack_int(matrix.rows);
  if (LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', m, n, a.data(), m, sigma.data(), &unused, 1, &unused, 1) != 0)
    sigma.clear();
  return sigma;
}

SigmaErrors errorsOf(const std::vector<double>& sigma, const std::vector<double>& expected) {
  SigmaErrors errors;
  const double largest = expected.empty() ? 0 : expected.front();
  const auto worst = [](double& error, double now) {
    if (!(now <= error)) error = now;  // NaN stays
  };
  if (sigma.size() != expected.size()) return {INFINITY, INFINITY, INFINITY, INFINITY};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double off = std::abs(sigma[i] - expected[i]);
    worst(errors.absolute, largest > 0 ? off / largest : off);
    if (expected[i] == 0) continue;
    if (expected[i] >= 1e-6 * largest) worst(errors.certain, off / largest);
    if (expected[i] >= 1e-3 * largest) worst(errors.relative_3, off / expected[i]);
    if (expected[i] >= 1e-5 * largest) worst(errors.relative_5, off / expected[i]);
  }
  return errors;
}

double normError(const std::vector<double>& sigma, const std::vector<double>& expected) {
  double off = 0, all = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    off += (sigma[i] - expected[i]) * (sigma[i] - expected[i]);
    all += expected[i] * expected[i];
  }
  return all > 0 ? std::sqrt(off / all) : std::sqrt(off);
}

void expectGates(const Spectrum& spectrum, const DenseMatrix& matrix, const SigmaGates& gates) {
  const std::vector<double> expected = referenceSigma(matrix);
  ASSERT_EQ(spectrum.sigma.size(), expected.size());
  const SigmaErrors errors = errorsOf(spectrum.sigma, expected);
  EXPECT_LE(errors.absolute, gates.errors.absolute);
  EXPECT_LE(errors.certain, gates.errors.certain);
  EXPECT_LE(errors.relative_3, gates.errors.relative_3);
  EXPECT_LE(errors.relative_5, gates.errors.relative_5);
  EXPECT_LE(normError(spectrum.sigma, expected), gates.norm);
  EXPECT_TRUE(std::ranges::is_sorted(spectrum.sigma, std::greater<>()));
  const SpectrumCertificate& certificate = spectrum.certificate;
  EXPECT_LE(certificate.energy, gates.residual);
  EXPECT_LE(certificate.fourth, gates.residual);
  EXPECT_EQ(certificate.agreeing, certificate.shifts);
  EXPECT_GE(certificate.upper_bound, spectrum.sigma.front() * (1 - gates.residual));
  // Where the values are lost, the floor says so.
  EXPECT_LE(errors.absolute * expected.front(), spectrum.floor);
}

}  // namespace vitrine::test
