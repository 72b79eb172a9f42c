// How two bases of directions lie to each other. Bases are orthonormal columns of one length, (m, r_a) and
// (m, r_b), strongest direction first.
//   intruders  Shuttleworth et al., "LoRA vs full fine-tuning: an illusion of equivalence", arXiv:2410.21228
//   phi        Hu et al., "LoRA", arXiv:2106.09685, section 7.2 and appendix G
//   angles     Bjorck & Golub, "Numerical methods for computing angles between linear subspaces", Math. Comp.
//              27 (1973): small angles from sines, large ones from cosines, each to full precision
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core {

// A^T B, (r_a, r_b): signed cosines.
Eigen::MatrixXd cosinesOf(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

// phi(i, j) = ||A_i^T B_j||_F^2 / min(i, j), in [0, 1], of the first i and j directions, i, j = 1 .. `limit`
// (at most r_a, r_b): element (i - 1, j - 1). One pass of prefix sums over the cosines' squares.
Eigen::MatrixXd subspaceSimilarity(const Eigen::MatrixXd& cosines, Eigen::Index limit);

// Between the spans of the columns; min(r_a, r_b) of them, ascending, radians in [0, pi / 2].
Result<std::vector<double>> principalAngles(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

// Runs of descending values none of which is below (1 - width) of the run's first: near-equal values, whose
// vectors are any basis of their common subspace. Zeros are one run. The first index of each, then the count.
std::vector<Eigen::Index> clustersOf(const Eigen::VectorXd& sigma, double width);

// How much of each tuned direction y_j some base direction has, in [0, 1]: max over base directions x_i of
// |x_i . y_j|, and, by `clusters`, of the length of y_j's projection on a cluster's subspace. With clusters
// of one direction each that is the paper's definition.
Eigen::VectorXd bestMatch(const Eigen::MatrixXd& cosines, const std::vector<Eigen::Index>& clusters);

// (epsilons, ks): how many of the first k tuned directions match less than epsilon.
Eigen::MatrixXi intruderCounts(const Eigen::VectorXd& best_match, const std::vector<std::size_t>& ks,
                               const std::vector<double>& epsilons);

}  // namespace vitrine::core
