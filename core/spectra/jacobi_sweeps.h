// One-sided iterations on pairs of columns, watched sweep by sweep: with a = |A_i|^2, b = |A_j|^2, g =
// A_i.A_j
//   rotation    zeta = (b - a) / 2g, t = sign(zeta) / (|zeta| + sqrt(1 + zeta^2)), c, s from t: A_i and A_j
//               become orthogonal, in the limit A = U S: Jacobi's SVD
//   triangular  A_j -= (g / a) A_i, i < j: in the limit A = Q diag(|R_ii|): Gram and Schmidt's QR, whose R^T
//   is
//               the Cholesky factor of A^T A
// Of the normed columns both divide the Gram determinant by 1 - cos^2(i, j). With pairs drawn uniformly the
// paper proves one linear rate for both (Detherage & Shah, "A Unified Perspective on Orthogonalization and
// Diagonalization", arXiv:2505.02023); for rotations the mass off the diagonal of A^T A falls in expectation
// by exactly 1 - 2 / (n (n - 1)) a pair. A sweep is n (n - 1) / 2 pairs, about 1 / e of it then.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include "core/spectra/givens.h"

namespace vitrine::core {

enum class PivotRule {
  kCyclic,          // (0, 1), (0, 2) .. row by row
  kGreedy,          // the largest |g| of all (Jacobi 1846)
  kRandom,          // uniformly, with replacement
  kRandomDisjoint,  // n / 2 pairs without a common column at once, drawn anew: what a device does in parallel
};
inline constexpr std::array kPivotRules = {PivotRule::kCyclic, PivotRule::kGreedy, PivotRule::kRandom,
                                           PivotRule::kRandomDisjoint};
std::string_view name(PivotRule rule);  // "cyclic", "greedy", "random", "random disjoint"

enum class PairFactor { kRotation, kTriangular };

// How a rotation's numbers are made and applied.
enum class RotationForm {
  kDivide,      // c, s as GivensForm says; A_i <- c A_i - s A_j, A_j <- s A_i + c A_j
  kReciprocal,  //
  kTextbook,    //
  kRutishauser  // s = t / sqrt(1 + t^2), tau = s / (1 + c); A_i <- A_i - s (A_j + tau A_i), ..
};
inline constexpr std::array kRotationForms = {RotationForm::kDivide, RotationForm::kReciprocal,
                                              RotationForm::kTextbook, RotationForm::kRutishauser};
std::string_view name(RotationForm form);

struct JacobiOptions {
  PivotRule rule = PivotRule::kCyclic;
  PairFactor factor = PairFactor::kRotation;
  RotationForm form = RotationForm::kRutishauser;
  std::size_t sweeps = 10;
  std::uint64_t seed = 0;  // of random pairs
};

template <typename T>
struct JacobiHistory {
  // (sweeps + 1): sum_{i != j} (A_i.A_j)^2 / ||A^T A||_F^2 before the first and after each, computed in
  // double precision; zeros for a zero matrix.
  std::vector<double> off;
  // (sweeps + 1): sum_i ln |A_i|^2 - ln det A^T A >= 0, the potential that both factors lower alike; infinite
  // where the columns are dependent.
  std::vector<double> potential;
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> columns;  // where it has come to
  std::vector<double> sigma;                                 // their lengths, descending, in double precision
  std::size_t sweeps = 0;                                    // done: less than asked where stopped
};

// T is float or double. Elements should be scaled so that squares stay in T's range. Pairs whose cosine is
// at rounding level are left alone.
template <typename T>
JacobiHistory<T> jacobiSweeps(Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> matrix,
                              const JacobiOptions& options, const std::stop_token& stop = {});

using PairRound = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// n - 1 rounds (n where that is odd) of n / 2 pairs (i < j) without a common column, in which each pair is
// once.
std::vector<PairRound> roundRobinPairs(std::uint32_t n);
// `rounds` random perfect matchings of 0 .. n - 1 (one column is left out where n is odd), pairs (i < j).
std::vector<PairRound> disjointPairs(std::uint32_t n, std::size_t rounds, std::uint64_t seed);

}  // namespace vitrine::core
