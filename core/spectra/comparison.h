// What a fine-tune has done to a matrix: base W0 = U0 diag(sigma0) V0^T against tuned W1 of one shape, by
// full decompositions in double precision. Left singular vectors are directions of the output. Where the base
// is zero it has no directions to match: what a fine-tune writes there is an intruder. Where the tuned matrix
// is zero it has none that could be one.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>

#include "core/spectra/full_svd.h"
#include "core/spectra/subspaces.h"

namespace vitrine::core {

struct ComparisonOptions {
  std::vector<std::size_t> intruder_k = {1, 2, 5, 10, 20, 50, 100};  // those above r are left out
  std::vector<double> intruder_epsilon = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  // Base values within a thousandth count as equal, and their vectors as one subspace: they turn among
  // themselves at the smallest change.
  double cluster_width = 1e-3;
  std::size_t block = 64;       // a side of the similarity matrix and of phi
  std::size_t angle_rank = 10;  // angles between the first so many directions
  std::size_t map_cells = 256;  // a side of the map of the change, at most
  SvdSolver svd = [](const Eigen::MatrixXd& matrix) { return fullSvd(matrix); };
  std::stop_token stop = {};  // looked at between the decompositions
};

// D = U0^T (W1 - W0) V0, (r, r): the change in the base's own coordinates. Shares are of ||W1 - W0||_F^2;
// what a change without preference would have is the number of elements over m n.
struct ChangeMap {
  std::size_t side = 0;        // r
  std::size_t cells = 0;       // a side of the map
  std::vector<float> largest;  // (cells, cells), row-major: max |D| of a cell's block, rows are of U0
  std::size_t band = 0;        // |i - j| <= band: r / 20 rounded up
  std::size_t corner = 0;      // i, j < corner: r / 10 rounded up
  double diagonal_share = 0, band_share = 0, corner_share = 0;
  double outside_share = 0;  // not in the span of U0 and V0, of a matrix that is not square
  double diagonal_expected = 0, band_expected = 0, corner_expected = 0;
};

// What an adapter's factors add, without forming it: its singular values say how many of the nominal rank's
// directions it uses.
struct AdapterRank {
  std::size_t nominal = 0;  // rows of A, of all adapters together
  std::size_t rank = 0;     // above rounding
  double stable = 0;        // sum s^2 / s_1^2
  double effective = 0;     // exp of the entropy of s / sum s
  std::vector<double> sigma;
};

struct MatrixComparison {
  std::string name;
  std::uint64_t rows = 0, columns = 0;
  Eigen::VectorXd base_sigma, tuned_sigma;                   // (r)
  double base_norm = 0, change_norm = 0;                     // Frobenius
  double change_s1 = 0;                                      // spectral norm of W1 - W0
  double change_stable_rank = 0, change_effective_rank = 0;  // 0 where nothing changed
  Eigen::MatrixXd similarity;                                // (block, block): |u0_i . u1_j|
  Eigen::VectorXd best_match;                                // (r): of each tuned direction, by clusters
  Eigen::VectorXd best_single;                               // the same without clusters, as published
  std::vector<std::size_t> intruder_k;
  std::vector<double> intruder_epsilon;
  Eigen::MatrixXi intruders, intruders_single;  // (epsilon, k)
  Eigen::MatrixXd phi;                          // (block, block), base down, tuned to the right
  std::vector<double> angles;                   // radians, ascending
  ChangeMap change;
  std::optional<AdapterRank> adapter;
};

// kInvalidArgument for shapes that differ; fullSvd's errors; kCancelled when stopped.
Result<MatrixComparison> compareMatrices(const Eigen::MatrixXd& base, const Eigen::MatrixXd& tuned,
                                         const ComparisonOptions& options = {});

// How many intruders there are for one k and epsilon, which need not be on the grid.
int intrudersAt(const MatrixComparison& comparison, std::size_t k, double epsilon);

ChangeMap changeMap(const FullSvd& base, const Eigen::MatrixXd& change, std::size_t most_cells);

// {name, shape, intruders: {k, epsilon, count, count_single}, sigma_change, phi_diagonal, delta, angles, ..}
nlohmann::ordered_json toJson(const MatrixComparison& comparison);

}  // namespace vitrine::core
