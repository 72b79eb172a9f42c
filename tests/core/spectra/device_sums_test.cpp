// The kernels of running Gram matrices in both of their forms, doubles and pairs of floats, against Eigen.
#include "core/engine/device_sums.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <random>

#include "core/spectra/device_spectra.h"
#include "core/spectra/running_gram.h"
#include "core/spectra/spectrum_matrices.h"
#include "gpu/commands.h"
#include "support/gpu_fixture.h"
#include "svd/gram_append.params.h"
#include "svd/rotate_rows.params.h"
#include "svd/token_gram.params.h"

namespace vitrine::core::device_sums_test {
namespace {

using StoredRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class DeviceSumsTest : public test::GpuTest, public testing::WithParamInterface<std::string_view> {
 protected:
  SumForm form() const { return doubles() ? SumForm::kDouble : SumForm::kPair; }
  bool doubles() const { return GetParam() == "double"; }
  // Of a sum of products whose absolute values sum to 1.
  double tolerance() const { return doubles() ? 1e-15 : 1e-12; }

  void SetUp() override {
    GpuTest::SetUp();
    if (doubles() && sumFormOf(device()) != SumForm::kDouble) GTEST_SKIP() << "no double precision";
  }

  template <typename Params>
  void run(std::string_view name, std::vector<gpu::Specialization> constants, gpu::Groups groups,
           const Params& params) {
    Kernels kernels(device());
    const gpu::Kernel* kernel = test::expectValue(kernels.get(name, 1, std::move(constants), GetParam()));
    gpu::Commands commands = test::expectValue(gpu::Commands::create(device(), "test"));
    test::expectOk(commands.begin());
    commands.dispatch(*kernel, groups, params, {});
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
  }

  Square sumsOf(const gpu::Buffer& buffer, std::uint32_t matrix, Eigen::Index n) {
    std::vector<double> all = contentOf<double>(buffer);
    sumsToDoubles(all, form());
    return Eigen::Map<const Square>(&all[matrix * static_cast<std::size_t>(n * n)], n, n);
  }

  static StoredRows randomRows(Eigen::Index rows, Eigen::Index columns, unsigned seed = 5) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    StoredRows all = StoredRows::NullaryExpr(rows, columns, [&] { return normal(random); });
    if (rows > 4) all.row(4) *= 3e4f;  // what comes after must not be lost beside it
    return all;
  }
  std::uint32_t lanes() { return device().info().subgroup_size; }
  gpu::Buffer sumBuffer(std::size_t count) { return bufferOf(std::vector<double>(count, 0.0)); }

  void expectGram(const Square& found, const StoredRows& left, const StoredRows& right) {
    const Square exact = test::product(left.cast<double>(), right.cast<double>().transpose());
    const Square bound =
        test::product(left.cwiseAbs().cast<double>(), right.cwiseAbs().cast<double>().transpose());
    for (Eigen::Index i = 0; i < exact.rows(); ++i)
      for (Eigen::Index j = 0; j < exact.cols(); ++j)
        EXPECT_NEAR(found(i, j), exact(i, j), tolerance() * bound(i, j)) << i << " " << j;
  }
};

TEST_P(DeviceSumsTest, AppendRowsFromARing) {
  // Two matrices of 300 rows in rings, of which 10 columns count and 12 are stored.
  constexpr std::uint32_t kRing = 300, kWidth = 10, kStored = 12, kFirst = 270;
  StoredRows rows = randomRows(2 * kRing, kStored);
  const gpu::Buffer from = bufferOf(std::span<const float>(rows.data(), std::size_t(rows.size())));
  const gpu::Buffer sums = sumBuffer(2 * kWidth * kWidth);
  std::uint32_t first = kFirst;
  for (const std::uint32_t count : {20u, 1u, 199u}) {
    run("svd/gram_append", {{7, false}}, {gpu::divideUp(6, lanes()), 2},
        shader::GramAppendParams{.rows = from.address(),
                                 .grams = sums.address(),
                                 .matrix_stride = kRing * kStored / 4,
                                 .row_stride = kStored / 4,
                                 .width = kWidth,
                                 .first = first,
                                 .count = count,
                                 .ring = kRing,
                                 .fresh = first == kFirst});
    first += count;
  }
  for (const std::uint32_t matrix : {0u, 1u}) {
    StoredRows taken(first - kFirst, kWidth);
    for (std::uint32_t p = kFirst; p < first; ++p)
      taken.row(p - kFirst) = rows.row(matrix * kRing + p % kRing).head(kWidth);
    expectGram(sumsOf(sums, matrix, kWidth), taken.transpose(), taken.transpose());
  }
}

TEST_P(DeviceSumsTest, MultiplyNewRowsWithThoseOfAWindow) {
  constexpr std::uint32_t kRing = 29, kWindow = 22, kStored = 36;
  const StoredRows stream = randomRows(61, kStored);
  StoredRows ring(2 * kRing, kStored);
  const gpu::Buffer sums = sumBuffer(2 * kWindow * kWindow);
  std::uint32_t end = 0;
  for (const std::uint32_t count : {5u, 1u, 21u, 22u, 3u, 9u}) {
    const std::uint32_t first = end;
    for (; end < first + count; ++end) {
      ring.row(end % kRing) = stream.row(end);
      ring.row(kRing + end % kRing) = -2 * stream.row(60 - end);
    }
    const gpu::Buffer from = bufferOf(std::span<const float>(ring.data(), std::size_t(ring.size())));
    const std::uint32_t begin = end - std::min(end, kWindow);
    run("svd/token_gram", {},
        {gpu::divideUp(gpu::divideUp(end - begin, 4), lanes()), gpu::divideUp(count, 4), 2},
        shader::TokenGramParams{.rows = from.address(),
                                .gram = sums.address(),
                                .row_stride = kStored / 4,
                                .ring = kRing,
                                .window = kWindow,
                                .first = first,
                                .end = end,
                                .begin = begin});
    StoredRows held = StoredRows::Zero(kWindow, kStored), other = held;
    for (std::uint32_t p = begin; p < end; ++p) {
      held.row(p % kWindow) = stream.row(p);
      other.row(p % kWindow) = -2 * stream.row(60 - p);
    }
    SCOPED_TRACE(end);
    expectGram(sumsOf(sums, 0, kWindow), held, held);
    expectGram(sumsOf(sums, 1, kWindow), other, other);
  }
}

TEST_P(DeviceSumsTest, TurnRows) {
  constexpr std::uint32_t kRows = 9, kKept = 6, kStored = 20;
  const StoredRows rows = randomRows(2 * kRows, kStored);
  std::mt19937 random(8);
  std::normal_distribution<double> normal;
  const Square turns = Square::NullaryExpr(2 * kRows, kRows, [&] { return normal(random); });
  std::vector<double> stored(turns.data(), turns.data() + turns.size());
  doublesToSums(stored, form());
  const gpu::Buffer from = bufferOf(std::span<const float>(rows.data(), std::size_t(rows.size())));
  const gpu::Buffer with = bufferOf(stored), to = bufferOf(std::vector<float>(2 * kRows * kStored, 7.0f));
  run("svd/rotate_rows", {}, {gpu::divideUp(kStored / 4, lanes()), kKept, 2},
      shader::RotateRowsParams{.rows = from.address(),
                               .turns = with.address(),
                               .rotated = to.address(),
                               .n = kRows,
                               .kept = kKept,
                               .row_stride = kStored / 4});
  const std::vector<float> found = contentOf<float>(to);
  for (std::uint32_t matrix : {0u, 1u}) {
    const Square exact = test::product(turns.middleRows(matrix * kRows, kRows),
                                       rows.middleRows(matrix * kRows, kRows).cast<double>());
    for (std::uint32_t i = 0; i < kRows; ++i)
      for (std::uint32_t j = 0; j < kStored; ++j) {
        const float value = found[(matrix * kRows + i) * kStored + j];
        EXPECT_NEAR(value, i < kKept ? exact(i, j) : 7.0,
                    i < kKept ? 1e-7 * std::abs(exact(i, j)) + 1e-9 : 0);
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, DeviceSumsTest, testing::Values("double", "pair"),
                         [](const auto& info) { return std::string(info.param); });

using SigmaOfGramsTest = DeviceSumsTest;

TEST_P(SigmaOfGramsTest, AreThoseOfLapack) {
  const auto solver = test::expectValue(DeviceSpectra::create(device(), form()));
  for (const std::uint32_t n : {12u, 50u, 128u}) {
    SCOPED_TRACE(n);
    constexpr std::uint32_t kCount = 5;
    std::vector<double> grams;
    std::vector<std::vector<double>> expected;
    for (std::uint32_t i = 0; i < kCount; ++i) {
      const Eigen::MatrixXd rows = Eigen::MatrixXd::Random(n + 3 * i, n) * std::pow(10.0, i);
      const Eigen::MatrixXd gram = test::product(rows.transpose(), rows);
      grams.insert(grams.end(), gram.data(), gram.data() + gram.size());
      expected.push_back(test::expectValue(gramSigma(gram, n)));
    }
    doublesToSums(grams, form());
    const gpu::Buffer buffer = bufferOf(grams);
    for (int again = 0; again < 2; ++again) {
      const auto found = test::expectValue(solver->sigmaOfGrams(buffer, n, kCount));
      ASSERT_EQ(found.size(), kCount);
      for (std::uint32_t i = 0; i < kCount; ++i)
        for (std::uint32_t k = 0; k < n; ++k)
          EXPECT_NEAR(found[i][k], expected[i][k], (doubles() ? 1e-7 : 4e-7) * expected[i][0])
              << i << " " << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, SigmaOfGramsTest, testing::Values("double", "pair"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace vitrine::core::device_sums_test
