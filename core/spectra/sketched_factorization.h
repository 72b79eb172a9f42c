// Low-rank approximations of one form (Karpowicz, "A theory of meta-factorization", arXiv:2111.14385): with
// X (m, l) and Y (n, k)
//   A ~ (A Y) (X^T A Y)^+ (X^T A),  exact where rank(X^T A Y) = rank(A)
// Random X, Y: the generalized Nystroem method, which reads A once (Nakatsukasa, arXiv:2009.11392). X, Y of
// unit vectors: CUR, A ~ C (A_IJ)^+ R. And Y (X^T A Y)^+ X^T is a generalized inverse of A where that holds.
// Sketches are of normal numbers, the same for a seed.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "core/spectra/full_svd.h"

namespace vitrine::core {

// A ~ left right, (m, k) (k, n).
struct LowRankFactors {
  Eigen::MatrixXd left, right;
};

// M^+ by its SVD; values at rounding level of the largest count as zero. Errors: fullSvd's.
Result<Eigen::MatrixXd> pseudoInverse(const Eigen::MatrixXd& matrix);

// From A Y (m, k), X^T A Y (l, k) and X^T A (l, n).
Result<LowRankFactors> metaFactorization(Eigen::MatrixXd ay, const Eigen::MatrixXd& xay,
                                         const Eigen::MatrixXd& xa);
// Y (X^T A Y)^+ X^T, (n, m): G with A G A = A where rank(X^T A Y) = rank(A).
Result<Eigen::MatrixXd> generalizedInverse(const Eigen::MatrixXd& a, const Eigen::MatrixXd& x,
                                           const Eigen::MatrixXd& y);

// Normal numbers of variance 1.
Eigen::MatrixXd gaussianSketch(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed);
// An orthonormal basis of the columns' span, (m, min(m, n)), by Householder QR.
Eigen::MatrixXd orthonormalBasis(Eigen::MatrixXd matrix);

// The first k triplets of Q Q^T A, Q a basis of (A A^T)^power A Y with Y (n, k + oversampling): Halko,
// Martinsson & Tropp, arXiv:0909.4061. k is at most the short side. (2 power + 2) m n (k + oversampling)
// multiplications and lower terms.
Result<LowRankFactors> randomizedSvd(const Eigen::MatrixXd& a, Eigen::Index k, Eigen::Index oversampling,
                                     std::size_t power, std::uint64_t seed);
// X has k + oversampling columns, Y has k. m n (2 k + oversampling) multiplications and lower terms.
Result<LowRankFactors> generalizedNystroem(const Eigen::MatrixXd& a, Eigen::Index k,
                                           Eigen::Index oversampling, std::uint64_t seed);

struct CurChoice {
  std::vector<Eigen::Index> rows, columns;  // k each, those picked first in front
};
// Columns by QR with column pivoting of a sketch X^T A (k + oversampling, n), then rows by that of the
// transposed columns: Dong & Martinsson, arXiv:2104.05877. m n (k + oversampling) multiplications and lower
// terms.
CurChoice curChoice(const Eigen::MatrixXd& a, Eigen::Index k, Eigen::Index oversampling, std::uint64_t seed);
Result<LowRankFactors> curFactors(const Eigen::MatrixXd& a, const CurChoice& choice);
// C (C^+ A R^+) R, the core that is best for these rows and columns: A projected on both. Reads A once more.
LowRankFactors curProjection(const Eigen::MatrixXd& a, const CurChoice& choice);

// ||A - left right||_F / ||A||_F; 0 for a zero matrix.
double relativeError(const Eigen::MatrixXd& a, const LowRankFactors& factors);

}  // namespace vitrine::core
