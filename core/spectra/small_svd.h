// Singular values and vectors of many small matrices on a device: QR in double precision, then one-sided
// Jacobi rotations, a workgroup a matrix (shaders/svd/qr.comp, jacobi.comp). For a short side of at most 128:
// heads' products, adapters, blocks of a cache. Small values come to relative accuracy as far as R determines
// them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/spectra/dense_matrix.h"
#include "gpu/buffer.h"

namespace vitrine::core {

inline constexpr std::uint32_t kMostSmallSide = 128;

struct SmallSvdResult {
  std::vector<double> sigma;  // (n), descending, n the short side
  // (n, n): row i is the unit vector of value i along the short side, its largest entry positive; zeros where
  // the value is 0. Of the long side they are A v / sigma.
  std::vector<double> vectors;
  std::uint32_t sweeps = 0;  // of rotations; kMostSweeps: it has not converged
};

class SmallSvd {
 public:
  static constexpr std::uint32_t kMostSweeps = 30;
  // Of the rotations; QR is in double precision.
  enum class Precision { kSingle, kDouble };

  // kUnsupported on a device without double precision or with workgroups smaller than n needs.
  static Result<std::unique_ptr<SmallSvd>> create(gpu::Device& device,
                                                  Precision precision = Precision::kSingle);
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
