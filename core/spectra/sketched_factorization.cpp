#include "core/spectra/sketched_factorization.h"

#include <lapacke.h>

#include <algorithm>
#include <random>

#include "core/spectra/dense_product.h"

namespace vitrine::core {
namespace {

// The first k pivots of QR with column pivoting.
std::vector<Eigen::Index> pivotColumns(Eigen::MatrixXd matrix, Eigen::Index k) {
  const auto m = static_cast<lapack_int>(matrix.rows()), n = static_cast<lapack_int>(matrix.cols());
  std::vector<lapack_int> pivots(static_cast<std::size_t>(n), 0);
  std::vector<double> tau(static_cast<std::size_t>(std::min(m, n)));
  const lapack_int info = LAPACKE_dgeqp3(LAPACK_COL_MAJOR, m, n, matrix.data(), m, pivots.data(), tau.data());
  VITRINE_ASSERT(info == 0);  // others are wrong arguments
  std::vector<Eigen::Index> first;
  for (Eigen::Index i = 0; i < k; ++i) first.push_back(pivots[static_cast<std::size_t>(i)] - 1);
  return first;
}

}  // namespace

Result<Eigen::MatrixXd> pseudoInverse(const Eigen::MatrixXd& matrix) {
  TRY_ASSIGN(const FullSvd svd, fullSvd(matrix));
  const Eigen::Index rank = svd.rank();
  const Eigen::MatrixXd scaled = svd.v.leftCols(rank) * svd.sigma.head(rank).cwiseInverse().asDiagonal();
  return multiply(scaled, svd.u.leftCols(rank), Side::kAsIs, Side::kTransposed);
}

Result<LowRankFactors> metaFactorization(Eigen::MatrixXd ay, const Eigen::MatrixXd& xay,
                                         const Eigen::MatrixXd& xa) {
  TRY_ASSIGN(const Eigen::MatrixXd inverse, pseudoInverse(xay));
  return LowRankFactors{std::move(ay), multiply(inverse, xa)};
}

Result<Eigen::MatrixXd> generalizedInverse(const Eigen::MatrixXd& a, const Eigen::MatrixXd& x,
                                           const Eigen::MatrixXd& y) {
  TRY_ASSIGN(const Eigen::MatrixXd inverse, pseudoInverse(multiply(x, multiply(a, y), Side::kTransposed)));
  return multiply(multiply(y, inverse), x, Side::kAsIs, Side::kTransposed);
}

Eigen::MatrixXd gaussianSketch(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(random); });
}

Eigen::MatrixXd orthonormalBasis(Eigen::MatrixXd matrix) {
  const auto m = static_cast<lapack_int>(matrix.rows()), n = static_cast<lapack_int>(matrix.cols());
  const lapack_int r = std::min(m, n);
  std::vector<double> tau(static_cast<std::size_t>(r));
  const lapack_int reduced = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, matrix.data(), m, tau.data());
  const lapack_int formed = LAPACKE_dorgqr(LAPACK_COL_MAJOR, m, r, r, matrix.data(), m, tau.data());
  VITRINE_ASSERT(reduced == 0 && formed == 0);
  return matrix.leftCols(r);
}

Result<LowRankFactors> randomizedSvd(const Eigen::MatrixXd& a, Eigen::Index k, Eigen::Index oversampling,
                                     std::size_t power, std::uint64_t seed) {
  const Eigen::Index columns = std::min(k + oversampling, std::min(a.rows(), a.cols()));
  Eigen::MatrixXd basis = orthonormalBasis(multiply(a, gaussianSketch(a.cols(), columns, seed)));
  for (std::size_t step = 0; step < power; ++step) {
    basis = orthonormalBasis(multiply(a, basis, Side::kTransposed));
    basis = orthonormalBasis(multiply(a, basis));
  }
  TRY_ASSIGN(const FullSvd svd, fullSvd(multiply(basis, a, Side::kTransposed)));
  const Eigen::MatrixXd right = svd.sigma.head(k).asDiagonal() * svd.v.leftCols(k).transpose();
  return LowRankFactors{multiply(basis, svd.u.leftCols(k)), right};
}

Result<LowRankFactors> generalizedNystroem(const Eigen::MatrixXd& a, Eigen::Index k,
                                           Eigen::Index oversampling, std::uint64_t seed) {
  const Eigen::MatrixXd x = gaussianSketch(a.rows(), k + oversampling, seed);
  const Eigen::MatrixXd y = gaussianSketch(a.cols(), k, seed ^ 0x9e3779b97f4a7c15u);
  Eigen::MatrixXd ay = multiply(a, y);
  const Eigen::MatrixXd xay = multiply(x, ay, Side::kTransposed);
  return metaFactorization(std::move(ay), xay, multiply(x, a, Side::kTransposed));
}

CurChoice curChoice(const Eigen::MatrixXd& a, Eigen::Index k, Eigen::Index oversampling, std::uint64_t seed) {
  CurChoice choice;
  const Eigen::MatrixXd x = gaussianSketch(a.rows(), k + oversampling, seed);
  choice.columns = pivotColumns(multiply(x, a, Side::kTransposed), k);
  choice.rows = pivotColumns(a(Eigen::all, choice.columns).transpose(), k);
  return choice;
}

Result<LowRankFactors> curFactors(const Eigen::MatrixXd& a, const CurChoice& choice) {
  return metaFactorization(a(Eigen::all, choice.columns), a(choice.rows, choice.columns),
                           a(choice.rows, Eigen::all));
}

LowRankFactors curProjection(const Eigen::MatrixXd& a, const CurChoice& choice) {
  const Eigen::MatrixXd columns = orthonormalBasis(a(Eigen::all, choice.columns));
  const Eigen::MatrixXd rows = orthonormalBasis(a(choice.rows, Eigen::all).transpose());
  const Eigen::MatrixXd core = multiply(multiply(columns, a, Side::kTransposed), rows);
  return {multiply(columns, core), rows.transpose()};
}

double relativeError(const Eigen::MatrixXd& a, const LowRankFactors& factors) {
  const double norm = a.norm();
  return norm > 0 ? (a - multiply(factors.left, factors.right)).norm() / norm : 0;
}

}  // namespace vitrine::core
