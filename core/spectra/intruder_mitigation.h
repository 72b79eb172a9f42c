// Scaling a fine-tune's intruder dimensions down: Shuttleworth et al., "LoRA vs full fine-tuning: an illusion
// of equivalence", arXiv:2410.21228. Base W0 = U0 diag(s) V0^T, tuned W = sum_j t_j y_j w_j^T, (m, n) both.
// Direction j of the first k is an intruder where no u0_i matches y_j by epsilon (subspaces.h), and
//   W(lambda) = W + (lambda - 1) sum over intruders j of t_j y_j w_j^T.
// The singular vectors of W(lambda) are those of W, the intruders' values lambda t_j, so that nothing is
// decomposed again; and with c = sum t_j y_j^T (W - W0) w_j, e = sum t_j^2
//   ||W(lambda) - W0||^2 = ||W - W0||^2 + 2 (lambda - 1) c + (lambda - 1)^2 e.
#pragma once

#include <span>
#include <vector>

#include "core/spectra/full_svd.h"

namespace vitrine::core {

struct IntruderRule {
  std::size_t k = 10;
  double epsilon = 0.5;
  double cluster_width = 1e-3;  // as ComparisonOptions::cluster_width; 0: each direction for itself
};

// (r) as subspaces.h's bestMatch; 1 for directions beyond the tuned rank, 0 for all where the base is zero.
Eigen::VectorXd matchOfDirections(const FullSvd& base, const FullSvd& tuned, double cluster_width);

struct Mitigation {
  std::vector<Eigen::Index> intruders;  // indices j, ascending
  double change_norm = 0;               // ||W - W0||_F
  double energy = 0;                    // e
  // (m, i) t_j y_j and (n, i) w_j of the intruders; empty without any.
  Eigen::MatrixXd left_factor, right_factor;
  // Where ||W(lambda) - W0|| is least, 1 - c / e, not limited to [0, 1]; 1 without intruders.
  double closest_lambda = 1;
  // At each lambda:
  std::vector<double> change;     // ||W(lambda) - W0||_F
  std::vector<std::size_t> left;  // intruders among the k strongest of W(lambda)
};

// `match`: of matchOfDirections; `change` = W - W0.
Mitigation mitigateIntruders(const FullSvd& tuned, const Eigen::VectorXd& match,
                             const Eigen::MatrixXd& change, const IntruderRule& rule,
                             std::span<const double> lambdas);

// W(lambda) of the tuned matrix that was looked at.
Eigen::MatrixXd scaledIntruders(const Eigen::MatrixXd& tuned, const Mitigation& of, double lambda);

}  // namespace vitrine::core
