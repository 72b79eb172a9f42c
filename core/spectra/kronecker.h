// A matrix as a sum of Kronecker products. W (m1 m2, n1 n2) is an m1 x n1 grid of blocks of m2 x n2; row
// i + m1 j of its rearrangement R(W) (m1 n1, m2 n2) is block (i, j), columns one below another. Then
//   R(A kron B) = vec(A) vec(B)^T, so that the singular values of R(W) are those of
//   W = sum_k s_k A_k kron B_k,  <A_k, A_l> = <B_k, B_l> = 1 where k = l, else 0,
// and the first r terms are the best r (Van Loan & Pitsianis, "Approximation with Kronecker products", 1993).
// Blocks of m x 1 make it the ordinary SVD. As initialization of adapters: Chong & Qu, arXiv:2506.15251.
#pragma once

#include <Eigen/Core>

#include "core/spectra/dense_matrix.h"

namespace vitrine::core {

// Of a block, m2 x n2: each divides its side of W.
struct BlockShape {
  std::uint64_t rows = 1, columns = 1;
};

// What A and B of one term hold together: m1 n1 + m2 n2.
std::uint64_t kroneckerParameters(std::uint64_t rows, std::uint64_t columns, const BlockShape& block);

// R(W). kInvalidArgument for a block that does not divide W.
Result<DenseMatrix> rearranged(const DenseMatrix& matrix, const BlockShape& block);

struct KroneckerTerm {
  double sigma = 0;
  Eigen::MatrixXd a;  // (m1, n1), of norm 1
  Eigen::MatrixXd b;  // (m2, n2), of norm 1
};

// The first `count` terms or all min(m1 n1, m2 n2), by LAPACK. Errors: rearranged's and fullSvd's.
Result<std::vector<KroneckerTerm>> kroneckerSvd(const DenseMatrix& matrix, const BlockShape& block,
                                                std::size_t count);

// sum_k s_k A_k kron B_k, (m1 m2, n1 n2). The terms are of one shape, at least one.
Eigen::MatrixXd kroneckerSum(const std::vector<KroneckerTerm>& terms);

// The product of that sum with x (n1 n2), without forming it: (A kron B) vec(X) = vec(B X A^T) with X
// (n2, n1). (m1 m2).
Eigen::VectorXd kroneckerApply(const std::vector<KroneckerTerm>& terms, const Eigen::VectorXd& x);

// Divisors of n, ascending; of more than `most` those nearest to even steps of the logarithm, with 1 and n.
std::vector<std::uint64_t> spreadDivisors(std::uint64_t n, std::size_t most);

// The block whose term has the fewest parameters; of equals the squarest.
BlockShape leanestBlock(std::uint64_t rows, std::uint64_t columns);

}  // namespace vitrine::core
