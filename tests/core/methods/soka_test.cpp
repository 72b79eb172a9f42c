// Sums of Kronecker products have as many values as products, give the matrix back, and are the ordinary SVD
// where the blocks are columns.
#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/energy_curve.h"
#include "core/spectra/kronecker.h"

namespace vitrine::test::soka_test {
namespace {

using core::BlockShape;
using core::KroneckerTerm;

Columns kron(const Columns& a, const Columns& b) {
  Columns out(a.rows() * b.rows(), a.cols() * b.cols());
  for (Eigen::Index r = 0; r < out.rows(); ++r)
    for (Eigen::Index c = 0; c < out.cols(); ++c)
      out(r, c) = a(r / b.rows(), c / b.cols()) * b(r % b.rows(), c % b.cols());
  return out;
}

// `count` products of a 6 x 4 with a 5 x 7.
DenseMatrix sumOfProducts(std::uint32_t count) {
  Columns sum = Columns::Zero(30, 28);
  for (std::uint32_t k = 0; k < count; ++k)
    sum += kron(core::toDouble(gaussian(6, 4, 2 * k + 1)), core::toDouble(gaussian(5, 7, 2 * k + 2)));
  return toDense(sum);
}

std::vector<KroneckerTerm> termsOf(const DenseMatrix& matrix, BlockShape block, std::size_t count = 1000) {
  auto terms = core::kroneckerSvd(matrix, block, count);
  EXPECT_TRUE(terms);
  return std::move(*terms);
}

TEST(KroneckerSvd, OfASumOfProductsHasThatManyValues) {
  for (const std::uint32_t count : {1u, 3u}) {
    const auto terms = termsOf(sumOfProducts(count), {5, 7});
    ASSERT_EQ(terms.size(), 24u);
    for (std::size_t k = 0; k < terms.size(); ++k)
      if (k < count)
        EXPECT_GT(terms[k].sigma, 0.1 * terms[0].sigma) << k;
      else
        EXPECT_LT(terms[k].sigma, 1e-6 * terms[0].sigma) << k;  // the matrix is rounded to float32
    // Cut into other blocks it is no short sum.
    EXPECT_GT(termsOf(sumOfProducts(count), {6, 4})[count].sigma, 1e-2 * terms[0].sigma);
  }
}

TEST(KroneckerSvd, GivesTheMatrixBack) {
  for (const auto& [matrix, block] : {std::pair{gaussian(12, 18, 1), BlockShape{4, 3}},
                                      {gaussian(1, 9, 2), {1, 3}},
                                      {sumOfProducts(2), {10, 2}}}) {
    const auto terms = termsOf(matrix, block);
    const Columns whole = core::toDouble(matrix);
    EXPECT_LE((core::kroneckerSum(terms) - whole).norm(), 1e-13 * whole.norm());
    const Eigen::VectorXd x = core::toDouble(gaussian(matrix.columns, 1, 3));
    EXPECT_LE((core::kroneckerApply(terms, x) - whole * x).norm(), 1e-13 * whole.norm() * x.norm());
    EXPECT_NEAR(terms[0].a.norm(), 1, 1e-13);
    EXPECT_NEAR(terms[0].b.norm(), 1, 1e-13);
  }
}

// The first terms leave what the values of the others say, and no other terms of that form leave less.
TEST(KroneckerSvd, TruncatesAtTheErrorOfItsValues) {
  const DenseMatrix matrix = gaussian(12, 18, 4);
  const Columns whole = core::toDouble(matrix);
  std::vector<double> sigma;
  for (const KroneckerTerm& term : termsOf(matrix, {4, 3})) sigma.push_back(term.sigma);
  for (const std::size_t r : {1u, 5u, 11u}) {
    const auto terms = termsOf(matrix, {4, 3}, r);
    const double error = (core::kroneckerSum(terms) - whole).norm() / whole.norm();
    EXPECT_NEAR(error, core::truncationError(sigma, r), 1e-12);
    auto worse = terms;
    worse[r - 1].a += 1e-3 * core::toDouble(gaussian(3, 6, 9));
    EXPECT_GT((core::kroneckerSum(worse) - whole).norm() / whole.norm(), error);
  }
}

TEST(KroneckerSvd, OfColumnsIsTheOrdinarySvd) {
  const DenseMatrix matrix = gaussian(17, 11, 5);
  const auto expected = referenceSigma(matrix);
  for (const BlockShape block : {BlockShape{17, 1}, BlockShape{1, 11}}) {
    const auto terms = termsOf(matrix, block);
    ASSERT_EQ(terms.size(), 11u);
    for (std::size_t k = 0; k < terms.size(); ++k) EXPECT_NEAR(terms[k].sigma, expected[k], 1e-12);
    EXPECT_EQ(core::kroneckerParameters(17, 11, block), 28u);
  }
  EXPECT_FALSE(core::rearranged(matrix, {2, 1}));
  EXPECT_FALSE(core::rearranged(matrix, {17, 0}));
}

TEST(KroneckerBlocks, AreDivisors) {
  EXPECT_EQ(core::spreadDivisors(12, 10), (std::vector<std::uint64_t>{1, 2, 3, 4, 6, 12}));
  EXPECT_EQ(core::spreadDivisors(4096, 4), (std::vector<std::uint64_t>{1, 16, 256, 4096}));
  EXPECT_EQ(core::spreadDivisors(17, 5), (std::vector<std::uint64_t>{1, 17}));
  const BlockShape square = core::leanestBlock(576, 576);
  EXPECT_EQ(core::kroneckerParameters(576, 576, square), 1152u);  // 2 sqrt(m n), as much as a term of the SVD
  EXPECT_EQ(square.rows, square.columns);
}

TEST(EnergyCurve, IsThatOfASquareSum) {
  const std::vector<double> sigma = {3, 2, 1, 1, 1};
  EXPECT_DOUBLE_EQ(core::energyCurve(sigma)[1], 13.0 / 16);
  EXPECT_EQ(core::energyRank(sigma, 0.8), 2u);
  EXPECT_EQ(core::energyRank(sigma, 1), 5u);
  EXPECT_DOUBLE_EQ(core::truncationError(sigma, 2), std::sqrt(3.0 / 16));
  EXPECT_EQ(core::elbowRank(sigma), 3u);
  const std::vector<double> zeros(3);
  EXPECT_EQ(core::energyRank(zeros, 0.9), 0u);
  EXPECT_EQ(core::truncationError(zeros, 1), 0);
  EXPECT_EQ(core::elbowRank(zeros), 0u);
}

// What the method's table says of a matrix that is a product: one term of 59 parameters has no error.
TEST(Soka, PrefersTheBlocksThatTheMatrixIsMadeOf) {
  const auto method = core::methods::findAnalysis("soka");
  ASSERT_TRUE(method);
  AnalysisInput input{.model = "product", .parameters = Parameters((*method)->parameters)};
  input.threads = 1;
  ASSERT_TRUE(input.parameters.set("divisors", 40));
  input.matrices.push_back(namedMatrix("layers.0.w", sumOfProducts(1)));
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_TRUE(result) << result.error().describe();
  const auto& row = result->tables[0].rows[0];
  EXPECT_EQ(std::get<std::string>(row[8]), "5 x 7");
  EXPECT_LT(std::get<double>(row[9]), 1e-6);
  EXPECT_GT(std::get<double>(row[7]), 0.1);
}

}  // namespace
}  // namespace vitrine::test::soka_test
