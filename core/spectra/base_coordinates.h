// A fine-tune's change in the singular basis of its base, and what adapters that live there can hold of it.
// Base W = U diag(s) V^T (m, n), thin, r = min(m, n); change dW = W' - W; D = U^T dW V (r, r). What dW has
// outside of the span of U and V, of a matrix that is not square, is in no pattern.
//   patterns  Lingam et al., "SVFT: parameter-efficient fine-tuning with singular vectors",
//             arXiv:2405.19597: dW = U D' V^T with D' trained on a fixed sparse pattern. Whatever a fine-tune
//             did, the closest dW of a pattern has D's elements there: it retains their squares of
//             ||dW||_F^2.
//   shift     singular-value adaptation alone (CLIP-SVD): W' = U diag(s + ds) V^T. The closest one has
//             ds = diag(D), and what remains of U^T W' V = diag(s) + D lies off the diagonal.
#pragma once

#include <cstdint>
#include <vector>

#include "core/spectra/full_svd.h"

namespace vitrine::core {

// D.
Eigen::MatrixXd changeInBasis(const FullSvd& base, const Eigen::MatrixXd& change);

// Of all (i, j) in (r, r) with |i - j| <= band.
std::uint64_t bandElements(std::uint64_t r, std::uint64_t band);
// sum of squares of those, for band = 0 .. r - 1.
std::vector<double> bandEnergies(const Eigen::MatrixXd& d);
// sum of squares of the first k elements of `d` by descending `score`, (r, r) too, for k = 0 .. r r. Equal
// scores come in column-major order.
std::vector<double> energiesByScore(const Eigen::MatrixXd& d, const Eigen::MatrixXd& score);
// Of the q strongest directions of any matrix with these singular values, q = 0 .. r: what a LoRA of rank q
// can hold.
std::vector<double> lowRankEnergies(const Eigen::VectorXd& sigma);

struct SingularValueShift {
  Eigen::VectorXd sigma, shift;  // (r): s, ds
  double off_diagonal = 0;       // ||M - diag(M)||_F / ||M||_F, M = U^T W' V; 0 where M is 0
  double unexplained = 0;        // ||dW - U diag(ds) V^T||_F / ||dW||_F; 0 where nothing changed
};
SingularValueShift singularValueShift(const FullSvd& base, const Eigen::MatrixXd& change);

}  // namespace vitrine::core
