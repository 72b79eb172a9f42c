// Which components of an earlier head's product carry a composition score (composition.h): OV_1 = sum s_i u_i
// v_i^T (r components), c_i = ||C_2 u_i|| / ||C_2||_F. The v_i are orthonormal, so that
//   score^2 = ||C_2 OV_1||_F^2 / (||C_2||_F^2 ||OV_1||_F^2) = sum s_i^2 c_i^2 / sum s_i^2,
// and with component i zeroed, OV_1 - s_i u_i v_i^T, both sums without i. Merullo et al., "Talking heads",
// arXiv:2406.09519.
#pragma once

#include <Eigen/Core>

namespace vitrine::core {

struct ComponentChannel {
  Eigen::VectorXd score;    // (r): c_i
  Eigen::VectorXd share;    // s_i^2 c_i^2 over their sum; 0 where that is
  Eigen::VectorXd energy;   // s_i^2 over their sum
  Eigen::VectorXd without;  // the edge's score with component i zeroed; 0 where nothing is left
  double effective = 0;     // exp of the entropy of `share`: 1 where one component carries all; 0 of none

  Eigen::Index strongest() const;  // by share
};

// Of one length, at least 1.
ComponentChannel componentChannel(const Eigen::VectorXd& sigma, const Eigen::VectorXd& score);

}  // namespace vitrine::core
