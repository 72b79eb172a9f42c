// One pair of bases for several changes, singular values for each: FairLoRA's form dW_g = U diag(s_g) V^T
// with U (m, r) and V (n, r) of orthonormal columns shared by all g, s_g (r) of any sign (Li et al.,
// "FairFedMed: benchmarking group fairness in federated medical imaging with FairLoRA", arXiv:2508.00873).
//   stacked   U_s, V_s: leading left vectors of [dW_1 .. dW_G], leading right vectors of the dW_g one below
//             the other: what any shared spans of r directions keep at most is about ||U_s^T dW_g V_s||^2
//   shared    the least sum of ||dW_g - U diag(s_g) V^T||^2 that alternating steps find:
//             s_g = diag(U^T dW_g V), U = polar(sum dW_g V diag(s_g)), V likewise. No step loses, and changes
//             of exactly that form are found by the start: the singular vectors of a combination of the
//             changes, inside of the stacked bases.
//   own       the least for each alone: its first r singular values (Eckart and Young).
#pragma once

#include <span>
#include <vector>

#include "core/spectra/full_svd.h"

namespace vitrine::core {

struct SharedBasis {
  Eigen::MatrixXd u, v;                // (m, r), (n, r); r is at most min(m, n)
  std::vector<Eigen::VectorXd> sigma;  // (r) each; ordered by the sum of their squares
  std::vector<double> energy;          // ||dW_g||^2
  std::vector<double> kept_shared;     // ||s_g||^2: of it, in the shared basis with singular values alone
  std::vector<double> kept_stacked;    // ||U_s^T dW_g V_s||^2
  std::vector<double> kept_own;        // by the first r of its own
  int steps = 0;                       // alternating steps until nothing changed, at most `most_steps`
};

// Changes of one shape, at least one. kInvalidArgument otherwise; fullSvd's errors.
Result<SharedBasis> sharedBasis(std::span<const Eigen::MatrixXd> changes, Eigen::Index rank,
                                int most_steps = 200);

}  // namespace vitrine::core
