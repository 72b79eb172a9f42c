// The gate of research/svd.md, section 4, item 1.
#include "core/spectra/small_svd.h"

#include <Eigen/Core>

#include "core/spectra/spectrum_matrices.h"
#include "support/gpu_fixture.h"

namespace vitrine::core::small_svd_test {
namespace {

using test::expectValue;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Gates {
  double absolute, relative, orthogonal;  // / s1; of values above 1e-6 s1; of vectors of values above that
};
constexpr Gates kSingleGates{5e-7, 2e-6, 1e-5}, kDoubleGates{1e-12, 1e-9, 1e-12};

class SmallSvdTest : public test::GpuTest, public testing::WithParamInterface<SmallSvd::Precision> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (!device().info().features.float64) GTEST_SKIP() << "no double precision";
    svd_ = expectValue(SmallSvd::create(device(), GetParam()));
  }
  void TearDown() override {
    svd_.reset();
    GpuTest::TearDown();
  }
  const Gates& gates() const {
    return GetParam() == SmallSvd::Precision::kDouble ? kDoubleGates : kSingleGates;
  }

  void expectWithinGates(const std::vector<DenseMatrix>& matrices) {
    const auto found = expectValue(svd_->decompose(matrices));
    ASSERT_EQ(found.size(), matrices.size());
    for (std::size_t i = 0; i < matrices.size(); ++i) {
      SCOPED_TRACE(fmt::format("matrix {} of {} x {}", i, matrices[i].rows, matrices[i].columns));
      expectValues(found[i], matrices[i]);
      expectVectors(found[i], matrices[i]);
    }
  }

  void expectValues(const SmallSvdResult& found, const DenseMatrix& matrix) {
    const auto expected = test::referenceSigma(matrix);
    const double largest = expected.front();
    ASSERT_EQ(found.sigma.size(), expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k) {
      EXPECT_LE(std::abs(found.sigma[k] - expected[k]), gates().absolute * largest) << "value " << k;
      if (expected[k] < 1e-6 * largest) continue;
      EXPECT_LE(std::abs(found.sigma[k] / expected[k] - 1), gates().relative) << "value " << k;
    }
    EXPECT_LT(found.sweeps, 15);
  }

  // Orthonormal, and A v is as long as the value says.
  void expectVectors(const SmallSvdResult& found, const DenseMatrix& matrix) {
    const auto n = Eigen::Index(matrix.shortSide());
    const Matrix a = Eigen::Map<const test::Rows>(matrix.values.data(), Eigen::Index(matrix.rows),
                                                  Eigen::Index(matrix.columns))
                         .cast<double>();
    const Matrix tall = matrix.rows < matrix.columns ? Matrix(a.transpose()) : a;
    const double largest = found.sigma.front();
    const auto shown = std::ranges::count_if(found.sigma, [&](double s) { return s > 1e-6 * largest; });
    const Matrix v = Eigen::Map<const Matrix>(found.vectors.data(), n, n).topRows(shown);
    EXPECT_LE((v * v.transpose() - Matrix::Identity(shown, shown)).cwiseAbs().maxCoeff(), gates().orthogonal);
    const Matrix images = tall * v.transpose();
    for (Eigen::Index k = 0; k < shown; ++k)
      EXPECT_LE(std::abs(images.col(k).norm() - found.sigma[std::size_t(k)]), gates().orthogonal * largest);
  }

  std::unique_ptr<SmallSvd> svd_;
};

TEST_P(SmallSvdTest, HoldsTheGateOnEveryKindOfSpectrum) {
  for (const auto& [rows, columns] :
       {std::pair<Eigen::Index, Eigen::Index>{128, 128}, {40, 300}, {257, 33}}) {
    std::vector<DenseMatrix> matrices;
    for (const test::Shape& shape : test::hostileSpectra(std::min(rows, columns)))
      matrices.push_back(test::withSigma(rows, columns, shape.sigma));
    expectWithinGates(matrices);
  }
}

TEST_P(SmallSvdTest, HoldsTheGateOnOddShapes) {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{1, 1},
                                      {1, 9},
                                      {9, 1},
                                      {2, 2},
                                      {5, 3},
                                      {7, 9},
                                      {31, 31},
                                      {33, 34},
                                      {65, 127}})
    expectWithinGates({test::gaussian(rows, columns, 1), test::gaussian(rows, columns, 2)});
}

TEST_P(SmallSvdTest, OfZerosIsZero) {
  const auto found = expectValue(svd_->decompose(std::vector{DenseMatrix{5, 7, std::vector<float>(35)}}));
  EXPECT_EQ(found[0].sigma, std::vector<double>(5));
  EXPECT_EQ(found[0].vectors, std::vector<double>(25));
}

TEST_P(SmallSvdTest, KnowsNothingOfScale) {
  std::vector<DenseMatrix> matrices(2, test::gaussian(20, 30));
  for (float& value : matrices[0].values) value *= 1e-36f;
  for (float& value : matrices[1].values) value *= 1e30f;
  expectWithinGates(matrices);
}

TEST_P(SmallSvdTest, RefusesWhatItCannotDo) {
  EXPECT_FALSE(svd_->reserve(129, 129, 1));
  EXPECT_FALSE(svd_->reserve(0, 3, 1));
  DenseMatrix matrix = test::gaussian(5, 7);
  matrix.values[4] = INFINITY;
  EXPECT_FALSE(svd_->decompose(std::vector{matrix}));
}

INSTANTIATE_TEST_SUITE_P(Precisions, SmallSvdTest,
                         testing::Values(SmallSvd::Precision::kSingle, SmallSvd::Precision::kDouble),
                         [](const auto& info) {
                           return info.param == SmallSvd::Precision::kSingle ? "single" : "double";
                         });

// Other orders of the pairs and other forms of the rotation, single precision.
class SmallSvdOrders : public test::GpuTest, public testing::WithParamInterface<SmallSvd::Pivots> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (!device().info().features.float64) GTEST_SKIP() << "no double precision";
  }

  std::vector<SmallSvdResult> decompose(const std::vector<DenseMatrix>& matrices, RotationForm form,
                                        SmallSvd::Precision precision = SmallSvd::Precision::kSingle) {
    const auto svd =
        expectValue(SmallSvd::create(device(), precision, {.pivots = GetParam(), .form = form, .seed = 3}));
    return expectValue(svd->decompose(matrices));
  }

  // The largest over s1.
  double errorOf(const SmallSvdResult& found, const DenseMatrix& matrix) {
    return test::errorsOf(found.sigma, test::referenceSigma(matrix)).absolute;
  }
};

TEST_P(SmallSvdOrders, EndAtTheSameValues) {
  for (const auto& [rows, columns] :
       {std::pair<std::uint64_t, std::uint64_t>{1, 5}, {2, 2}, {33, 34}, {50, 21}, {64, 128}}) {
    const std::vector<DenseMatrix> matrices = {test::gaussian(rows, columns, 1),
                                               test::gaussian(rows, columns, 2)};
    const auto single = decompose(matrices, RotationForm::kRutishauser);
    const auto twice = decompose(matrices, RotationForm::kDivide, SmallSvd::Precision::kDouble);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_LE(errorOf(single[i], matrices[i]), kSingleGates.absolute) << rows << " x " << columns;
      EXPECT_LE(errorOf(twice[i], matrices[i]), kDoubleGates.absolute) << rows << " x " << columns;
      const auto n = Eigen::Index(matrices[i].shortSide());
      const Matrix v = Eigen::Map<const Matrix>(single[i].vectors.data(), n, n);
      EXPECT_LE((v * v.transpose() - Matrix::Identity(n, n)).cwiseAbs().maxCoeff(), kSingleGates.orthogonal);
    }
  }
  const auto zeros = decompose({DenseMatrix{5, 7, std::vector<float>(35)}}, RotationForm::kRutishauser);
  EXPECT_EQ(zeros[0].sigma, std::vector<double>(5));
}

// As on the CPU (givens_rotation_numerics_test): c and s by division lose more than Rutishauser's form.
TEST_P(SmallSvdOrders, OtherFormsLoseMore) {
  const std::vector<DenseMatrix> matrices = {test::gaussian(80, 80, 1)};
  const double best = errorOf(decompose(matrices, RotationForm::kRutishauser)[0], matrices[0]);
  for (const RotationForm form :
       {RotationForm::kDivide, RotationForm::kReciprocal, RotationForm::kTextbook}) {
    const double error = errorOf(decompose(matrices, form)[0], matrices[0]);
    EXPECT_GE(error, 2 * best) << name(form);
    EXPECT_LE(error, 1e-4) << name(form);
  }
}

// The rate of random pairs is linear: more sweeps than a tournament's, which is quadratic at the end.
TEST_P(SmallSvdOrders, RandomPairsTakeMoreSweeps) {
  const std::uint32_t sweeps = decompose({test::gaussian(48, 48, 1)}, RotationForm::kRutishauser)[0].sweeps;
  if (GetParam() == SmallSvd::Pivots::kRandom)
    EXPECT_GE(sweeps, 15u);
  else
    EXPECT_LT(sweeps, 12u);
}

INSTANTIATE_TEST_SUITE_P(Pivots, SmallSvdOrders,
                         testing::Values(SmallSvd::Pivots::kNeighbours, SmallSvd::Pivots::kTournament,
                                         SmallSvd::Pivots::kRandom),
                         [](const auto& info) {
                           return info.param == SmallSvd::Pivots::kNeighbours   ? "neighbours"
                                  : info.param == SmallSvd::Pivots::kTournament ? "tournament"
                                                                                : "random";
                         });

}  // namespace
}  // namespace vitrine::core::small_svd_test
