// SALT: Elsayed et al., "SALT: singular value adaptation with low-rank transformation", arXiv:2503.16055.
// Base W = U diag(s) V^T (m, n), r = min(m, n); the first h singular values are scaled and shifted,
// s_i' = a_i s_i + b_i, the block behind them gets a low-rank update X Y, (r - h, q) (q, r - h):
//   W' = U (diag(s_1' .. s_h', s_{h+1} ..) + [0 0; 0 X Y]) V^T.
// Of a given change dW, D = U^T dW V (base_coordinates.h), the closest such W' has s_i' = s_i + D_ii, and X Y
// the q strongest directions of D's tail block (Eckart and Young): it explains
//   sum over i < h of D_ii^2 + sum over i < q of s_i(D_tail)^2   with 2 h + 2 q (r - h) parameters.
#pragma once

#include "core/spectra/full_svd.h"

namespace vitrine::core {

// Energies, sums of squares.
struct SaltSplit {
  Eigen::Index head = 0;                             // h, at most r
  double total = 0;                                  // ||dW||^2
  double head_block = 0, tail_block = 0, cross = 0;  // of D: i, j < h; i, j >= h; the rest
  double head_diagonal = 0;                          // what scale and shift of each of the h values explain
  double one_scale_and_shift = 0;                    // the same with one a and one b for all of them
  Eigen::VectorXd tail_sigma;                        // (r - h): singular values of D_tail

  double explained(Eigen::Index q) const;  // by SALT of tail rank q
  double parameters(Eigen::Index q) const;
};

// `d` = D (r, r), `sigma` = s (r), `total` = ||dW||^2. fullSvd's errors.
Result<SaltSplit> saltSplit(const Eigen::MatrixXd& d, const Eigen::VectorXd& sigma, double total,
                            Eigen::Index head);

}  // namespace vitrine::core
