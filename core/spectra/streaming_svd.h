// The leading singular values and right vectors of a stream of rows that is too long and too wide for a Gram
// matrix: a truncated SVD that is updated by blocks of rows. In double precision; the plain reference of what
// the engine does on the device.
//   Zha & Simon, "On updating problems in latent semantic indexing", SIAM J. Sci. Comput. 21 (1999)
//   Brand, "Fast low-rank modifications of the thin singular value decomposition", Linear Algebra Appl. 415
//   (2006)
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core {

struct StreamingSvdOptions {
  std::uint32_t rank = 48;   // values and vectors that are kept
  std::uint32_t block = 16;  // rows of an update; fewer only where sigma() is asked for in between
  double drift = 1e-4;       // re-orthogonalises where an entry of |V^T V - I| exceeds it
};

class StreamingSvd {
 public:
  explicit StreamingSvd(std::uint32_t width, StreamingSvdOptions options = {});

  // `rows` is (n, width); errors as RunningGram::add's. Rows wait until they fill a block.
  Result<void> add(std::span<const float> rows);
  void reset();

  std::uint64_t rows() const { return rows_; }  // with those that wait
  // (min(rows, width, rank)), descending, of everything that was added.
  Result<std::vector<double>> sigma();
  const Eigen::MatrixXd& vectors() const { return v_; }  // (width, kept), of the last update

  // What truncation may have cost. With D_t what update t left out, the Gram matrix of all rows is the
  // sketch's plus sum D_t^T D_t, so the i-th value s of all rows obeys sigma_i <= s <= sqrt(sigma_i^2 +
  // slack()): slack is the smaller of the sum of the largest squared value of each D_t and of all the energy
  // left out.
  double slack() const;
  double upperBound(double sigma) const;
  double energy() const { return energy_; }  // sum of all squared elements
  double drift() const;                      // the largest entry of |V^T V - I| as it is
  std::uint32_t reorthogonalized() const { return reorthogonalized_; }  // how often it was needed

 private:
  Result<void> update();
  Result<void> reorthogonalize();
  Result<void> keep(const Eigen::MatrixXd& basis, const Eigen::MatrixXd& core);

  std::uint32_t width_;
  StreamingSvdOptions options_;
  std::uint64_t rows_ = 0;
  Eigen::MatrixXd waiting_;  // (width, block)
  Eigen::Index waits_ = 0;
  Eigen::MatrixXd v_;      // (width, kept)
  Eigen::VectorXd sigma_;  // (kept)
  double energy_ = 0, left_out_ = 0, largest_left_out_ = 0;
  std::uint32_t reorthogonalized_ = 0;
};

}  // namespace vitrine::core
