// Singular values and vectors of many small matrices on a device: QR in double precision, then one-sided
// Jacobi rotations, a workgroup a matrix (shaders/svd/qr.comp, jacobi.comp). For a short side of at most 128:
// heads' products, adapters, blocks of a cache. Small values come to relative accuracy as far as R determines
// them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/spectra/dense_matrix.h"
#include "core/spectra/jacobi_sweeps.h"
#include "gpu/buffer.h"

namespace vitrine::core {

inline constexpr std::uint32_t kMostSmallSide = 128;

struct SmallSvdResult {
  std::vector<double> sigma;  // (n), descending, n the short side
  // (n, n): row i is the unit vector of value i along the short side, its largest entry positive; zeros where
  // the value is 0. Of the long side they are A v / sigma.
  std::vector<double> vectors;
  std::uint32_t sweeps = 0;  // of rotations
};

class SmallSvd {
 public:
  static constexpr std::uint32_t kMostSweeps = 30, kMostRandomSweeps = 150;
  // Of the rotations; QR is in double precision.
  enum class Precision { kSingle, kDouble };
  // Which columns meet: neighbours that change places (the fastest, in registers and shared memory), or pairs
  // of a table, in memory: those of a tournament, or drawn at random until none turns (kMostRandomSweeps; see
  // jacobi_sweeps.h).
  enum class Pivots { kNeighbours, kTournament, kRandom };
  struct Order {
    Pivots pivots = Pivots::kNeighbours;
    RotationForm form = RotationForm::kRutishauser;  // the others lose accuracy: to compare
    std::uint64_t seed = 0;                          // of random pairs
  };

  // kUnsupported on a device without double precision or with workgroups smaller than n needs.
  static Result<std::unique_ptr<SmallSvd>> create(gpu::Device& device,
                                                  Precision precision = Precision::kSingle);
  static Result<std::unique_ptr<SmallSvd>> create(gpu::Device& device, Precision precision,
                                                  const Order& order);
  ~SmallSvd();

  // As DeviceSpectra's: room for `count` matrices of a shape, where matrix `index` goes, the work, the
  // results. kInvalidArgument for a short side of 0 or beyond kMostSmallSide.
  Result<void> reserve(std::uint64_t rows, std::uint64_t columns, std::uint32_t count);
  gpu::Slice input(std::uint32_t index);
  Result<void> compute();
  // kUnsupported with the matrix's number where the rotations have not converged.
  Result<std::vector<SmallSvdResult>> results() const;

  // Uploads, computes and reads; the matrices have one shape. Errors as above and requireFinite's.
  Result<std::vector<SmallSvdResult>> decompose(std::span<const DenseMatrix> matrices);

 private:
  SmallSvd();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::core
