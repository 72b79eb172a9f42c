// Spectra of streams of rows against LAPACK's of all rows at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/spectra/full_svd.h"
#include "core/spectra/running_gram.h"
#include "core/spectra/spectrum_matrices.h"
#include "core/spectra/streaming_svd.h"

namespace vitrine::core::streams_test {
namespace {

using testing::HasSubstr;

// Rows like a model's hidden states: directions whose sizes fall off, two dimensions that stand out, and a
// few tokens a hundred times larger than the others, the first among them.
DenseMatrix hiddenLike(std::uint64_t tokens, std::uint32_t width, double decay = 0.8) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const Eigen::VectorXd mirror =
      test::orthonormal(width, 1, random);  // turns the directions away from the axes
  DenseMatrix rows{tokens, width, std::vector<float>(tokens * width)};
  Eigen::VectorXd weights(width);
  for (std::uint64_t t = 0; t < tokens; ++t) {
    for (Eigen::Index i = 0; i < width; ++i) weights[i] = normal(random) * std::pow(i + 1.0, -decay);
    Eigen::VectorXd x = weights - 2 * mirror.dot(weights) * mirror;
    x[3 % width] += 4;
    x[11 % width] -= 2;
    if (t == 0 || t % 1'500 == 1'499) x[5 % width] += 100;
    Eigen::Map<Eigen::VectorXf>(&rows.values[t * width], width) = x.cast<float>();
  }
  return rows;
}

DenseMatrix rowsFrom(const DenseMatrix& all, std::uint64_t first, std::uint64_t count) {
  const auto from = all.values.begin() + static_cast<std::ptrdiff_t>(first * all.columns);
  return {count, all.columns, {from, from + static_cast<std::ptrdiff_t>(count * all.columns)}};
}

std::vector<double> exactSigma(const DenseMatrix& rows) {
  const auto svd = fullSvd(rows);
  EXPECT_TRUE(svd) << (svd ? "" : svd.error().describe());
  return {svd->sigma.begin(), svd->sigma.end()};
}

void expectSigma(const Result<std::vector<double>>& found, const std::vector<double>& expected) {
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_EQ(found->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR((*found)[i], expected[i], 1e-7 * expected[0]) << i;
}

// In pieces of uneven length.
template <typename Stream>
void feed(Stream& stream, const DenseMatrix& rows, std::uint64_t piece = 37) {
  for (std::uint64_t first = 0; first < rows.rows; first += piece) {
    const DenseMatrix part = rowsFrom(rows, first, std::min(piece, rows.rows - first));
    const auto added = stream.add(part.values);
    ASSERT_TRUE(added) << added.error().describe();
  }
}

TEST(RunningGram, HasTheSpectrumOfAllRows) {
  for (const auto& [tokens, width] : {std::pair{300u, 7u}, {5u, 24u}, {1u, 3u}, {700u, 80u}, {64u, 64u}}) {
    SCOPED_TRACE(fmt::format("{} x {}", tokens, width));
    const DenseMatrix rows = hiddenLike(tokens, width);
    RunningGram gram(width);
    feed(gram, rows);
    EXPECT_EQ(gram.rows(), tokens);
    expectSigma(gram.sigma(), exactSigma(rows));
    gram.reset();
    EXPECT_EQ(gram.sigma()->size(), 0u);
    feed(gram, rowsFrom(rows, 0, (tokens + 1) / 2));
    expectSigma(gram.sigma(), exactSigma(rowsFrom(rows, 0, (tokens + 1) / 2)));
  }
}

TEST(WindowGram, ForgetsExactlyWhatLeaves) {
  const std::uint32_t width = 21, window = 50;
  // The first rows are 1e6 times larger: subtracting them would leave nothing of the others.
  DenseMatrix rows = hiddenLike(500, width);
  for (std::size_t i = 0; i < 40 * width; ++i) rows.values[i] *= 1e6f;
  WindowGram gram(width, window);
  for (std::uint64_t t = 0; t < rows.rows; ++t) {
    ASSERT_TRUE(gram.add(rowsFrom(rows, t, 1).values));
    if (t != 11 && t != 49 && t != 50 && t != 120 && t != 499) continue;
    SCOPED_TRACE(t);
    const std::uint64_t held = std::min<std::uint64_t>(t + 1, window);
    EXPECT_EQ(gram.held(), held);
    expectSigma(gram.sigma(), exactSigma(rowsFrom(rows, t + 1 - held, held)));
  }
}

TEST(Streams, RefuseWhatIsNotFiniteWithItsPlace) {
  DenseMatrix rows = hiddenLike(60, 9);
  RunningGram gram(9);
  WindowGram window(9, 16);
  StreamingSvd svd(9);
  const auto each = [&](auto check) { check(gram), check(window), check(svd); };
  each([&](auto& stream) { feed(stream, rowsFrom(rows, 0, 40)); });
  rows.values[52 * 9 + 4] = std::numeric_limits<float>::quiet_NaN();
  each([&](auto& stream) {
    const auto added = stream.add(rowsFrom(rows, 40, 20).values);
    ASSERT_FALSE(added);
    EXPECT_THAT(added.error().message, HasSubstr("element 4 of row 52 is nan"));
    EXPECT_EQ(stream.rows(), 40u);
    const std::vector<float> ragged(10);
    EXPECT_FALSE(stream.add(ragged));
  });
  expectSigma(gram.sigma(), exactSigma(rowsFrom(rows, 0, 40)));
  expectSigma(window.sigma(), exactSigma(rowsFrom(rows, 24, 16)));
  expectSigma(svd.sigma(), exactSigma(rowsFrom(rows, 0, 40)));
}

// The gate: 4,096 tokens, values that count to 1e-3, and a bound that holds for all of them.
TEST(StreamingSvd, FollowsFourThousandTokens) {
  const DenseMatrix rows = hiddenLike(4'096, 128);
  const std::vector<double> exact = exactSigma(rows);
  StreamingSvd svd(128, {.rank = 64, .block = 16});
  feed(svd, rows);
  const auto found = svd.sigma();
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_EQ(found->size(), 64u);
  double worst = 0, worst_leading = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    worst = std::max(worst, std::abs((*found)[i] - exact[i]) / exact[0]);
    if (i < 16) worst_leading = std::max(worst_leading, std::abs((*found)[i] - exact[i]) / exact[i]);
    EXPECT_LE((*found)[i], exact[i] * (1 + 1e-9)) << i;
    EXPECT_GE(svd.upperBound((*found)[i]), exact[i] * (1 - 1e-9)) << i;
  }
  RecordProperty("worst_of_largest", fmt::format("{:.2e}", worst));
  RecordProperty("worst_of_16", fmt::format("{:.2e}", worst_leading));
  EXPECT_LE(worst, 1e-3);
  EXPECT_LE(worst_leading, 1e-3);
  EXPECT_LE(svd.drift(), 1e-4);
  double squares = 0;
  for (const double s : exact) squares += s * s;
  EXPECT_NEAR(svd.energy(), squares, 1e-9 * squares);
}

// Nothing stands out of noise: the values of a sketch are off then, and it says by how much.
TEST(StreamingSvd, AdmitsWhatItLosesOnNoise) {
  const DenseMatrix rows = test::gaussian(1'500, 100);
  const std::vector<double> exact = exactSigma(rows);
  StreamingSvd svd(100, {.rank = 20, .block = 8});
  feed(svd, rows);
  const auto found = svd.sigma();
  ASSERT_TRUE(found);
  EXPECT_GT(exact[10] - (*found)[10], 1e-2 * exact[10]);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_LE((*found)[i], exact[i] * (1 + 1e-9));
    EXPECT_GE(svd.upperBound((*found)[i]), exact[i]);
  }
}

TEST(StreamingSvd, IsExactWhereEverythingFits) {
  for (const auto& [tokens, width] : {std::pair{200u, 31u}, {12u, 90u}, {3u, 5u}}) {
    SCOPED_TRACE(fmt::format("{} x {}", tokens, width));
    const DenseMatrix rows = hiddenLike(tokens, width);
    StreamingSvd svd(width);
    feed(svd, rows, 5);
    expectSigma(svd.sigma(), exactSigma(rows));
    EXPECT_LE(svd.slack(), 1e-20 * svd.energy());
  }
}

TEST(StreamingSvd, ChangesNothingByOrthogonalizingAgain) {
  const DenseMatrix rows = hiddenLike(600, 48);
  StreamingSvd plain(48, {.rank = 24}), often(48, {.rank = 24, .block = 16, .drift = 0});
  feed(plain, rows);
  feed(often, rows);
  EXPECT_EQ(plain.reorthogonalized(), 0u);
  EXPECT_GT(often.reorthogonalized(), 20u);
  expectSigma(often.sigma(), *plain.sigma());
  EXPECT_LE(often.drift(), 1e-14);
}

TEST(StreamingSvd, StartsOver) {
  const DenseMatrix rows = hiddenLike(100, 16);
  StreamingSvd svd(16, {.rank = 8});
  feed(svd, test::gaussian(70, 16));
  svd.reset();
  EXPECT_EQ(svd.rows(), 0u);
  EXPECT_EQ(svd.sigma()->size(), 0u);
  StreamingSvd fresh(16, {.rank = 8});
  feed(svd, rows);
  feed(fresh, rows);
  EXPECT_EQ(*svd.sigma(), *fresh.sigma());
}

}  // namespace
}  // namespace vitrine::core::streams_test
