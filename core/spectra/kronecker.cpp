#include "core/spectra/kronecker.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/spectra/full_svd.h"

namespace vitrine::core {
namespace {

std::vector<std::uint64_t> divisorsOf(std::uint64_t n) {
  std::vector<std::uint64_t> divisors;
  for (std::uint64_t d = 1; d <= n / d; ++d) {
    if (n % d != 0) continue;
    divisors.push_back(d);
    if (d != n / d) divisors.push_back(n / d);
  }
  std::ranges::sort(divisors);
  return divisors;
}

}  // namespace

std::uint64_t kroneckerParameters(std::uint64_t rows, std::uint64_t columns, const BlockShape& block) {
  return (rows / block.rows) * (columns / block.columns) + block.rows * block.columns;
}

Result<DenseMatrix> rearranged(const DenseMatrix& matrix, const BlockShape& block) {
  if (block.rows == 0 || block.columns == 0 || matrix.rows % block.rows != 0 ||
      matrix.columns % block.columns != 0)
    return fail(ErrorCode::kInvalidArgument, "blocks of {} x {} do not divide a matrix of {} x {}",
                block.rows, block.columns, matrix.rows, matrix.columns);
  const std::uint64_t down = matrix.rows / block.rows, across = matrix.columns / block.columns;
  DenseMatrix out{down * across, block.rows * block.columns, std::vector<float>(matrix.values.size())};
  for (std::uint64_t r = 0; r < matrix.rows; ++r)
    for (std::uint64_t c = 0; c < matrix.columns; ++c) {
      const std::uint64_t row = r / block.rows + down * (c / block.columns);
      const std::uint64_t column = r % block.rows + block.rows * (c % block.columns);
      out.values[row * out.columns + column] = matrix.values[r * matrix.columns + c];
    }
  return out;
}

Result<std::vector<KroneckerTerm>> kroneckerSvd(const DenseMatrix& matrix, const BlockShape& block,
                                                std::size_t count) {
  TRY_ASSIGN(const DenseMatrix grid, rearranged(matrix, block));
  TRY_ASSIGN(const FullSvd svd, fullSvd(grid));
  const auto size = [](std::uint64_t n) { return static_cast<Eigen::Index>(n); };
  const Eigen::Index m2 = size(block.rows), n2 = size(block.columns);
  const Eigen::Index m1 = size(matrix.rows) / m2, n1 = size(matrix.columns) / n2;
  std::vector<KroneckerTerm> terms;
  for (Eigen::Index k = 0; k < svd.sigma.size() && terms.size() < count; ++k)
    terms.push_back({.sigma = svd.sigma[k],
                     .a = Eigen::Map<const Eigen::MatrixXd>(svd.u.col(k).data(), m1, n1),
                     .b = Eigen::Map<const Eigen::MatrixXd>(svd.v.col(k).data(), m2, n2)});
  return terms;
}

Eigen::MatrixXd kroneckerSum(const std::vector<KroneckerTerm>& terms) {
  const KroneckerTerm& first = terms.front();
  const Eigen::Index m2 = first.b.rows(), n2 = first.b.cols();
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(first.a.rows() * m2, first.a.cols() * n2);
  for (const KroneckerTerm& term : terms)
    for (Eigen::Index j = 0; j < term.a.cols(); ++j)
      for (Eigen::Index i = 0; i < term.a.rows(); ++i)
        sum.block(i * m2, j * n2, m2, n2) += term.sigma * term.a(i, j) * term.b;
  return sum;
}

Eigen::VectorXd kroneckerApply(const std::vector<KroneckerTerm>& terms, const Eigen::VectorXd& x) {
  const KroneckerTerm& first = terms.front();
  const Eigen::Map<const Eigen::MatrixXd> grid(x.data(), first.b.cols(), first.a.cols());
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(first.b.rows(), first.a.rows());
  for (const KroneckerTerm& term : terms) sum += term.sigma * (term.b * grid * term.a.transpose());
  return sum.reshaped();
}

std::vector<std::uint64_t> spreadDivisors(std::uint64_t n, std::size_t most) {
  const std::vector<std::uint64_t> all = divisorsOf(n);
  if (all.size() <= most || most < 2) return all;
  std::vector<std::uint64_t> chosen;
  for (std::size_t i = 0; i < most; ++i) {
    const double aim =
        std::log(static_cast<double>(n)) * static_cast<double>(i) / static_cast<double>(most - 1);
    chosen.push_back(*std::ranges::min_element(
        all, {}, [&](std::uint64_t d) { return std::abs(std::log(static_cast<double>(d)) - aim); }));
  }
  const auto repeated = std::ranges::unique(chosen);
  chosen.erase(repeated.begin(), repeated.end());
  return chosen;
}

BlockShape leanestBlock(std::uint64_t rows, std::uint64_t columns) {
  BlockShape best;
  const auto costOf = [&](const BlockShape& b) {
    const double skew = std::abs(std::log(static_cast<double>(b.rows) / static_cast<double>(b.columns)));
    return std::pair(kroneckerParameters(rows, columns, b), skew);
  };
  for (const std::uint64_t r : divisorsOf(rows))
    for (const std::uint64_t c : divisorsOf(columns))
      if (const BlockShape block{r, c}; costOf(block) < costOf(best)) best = block;
  return best;
}

}  // namespace vitrine::core
