// Spectra on a GPU: the Gram matrix, its reduction to tridiagonal form, its eigenvalues by multisection
// (shaders/svd), for several matrices of one shape at a time. In double precision, or, on a device without,
// in pairs of floats (Dekker 1971), which have 48 bits: then values below 4e-7 of the largest are known to be
// small, not how small.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/device_sums.h"
#include "core/spectra/dense_matrix.h"
#include "core/spectra/spectrum.h"
#include "gpu/buffer.h"

namespace vitrine::core {

class DeviceSpectra {
 public:
  // In doubles where the device has them, unless `form` is given. kUnsupported for doubles without double
  // precision, and for pairs where the driver does not compute them as written (pair_arithmetic.h).
  static Result<std::unique_ptr<DeviceSpectra>> create(gpu::Device& device, std::optional<SumForm> form = {});
  ~DeviceSpectra();

  std::string text() const;  // the device's name and, in pairs, that
  // Than LAPACK: of a GPU.
  static bool isFaster(const gpu::Device& device);
  // kInvalidArgument without elements, kUnsupported beyond what the shaders count.
  static Result<void> requireFits(std::uint64_t rows, std::uint64_t columns);

  // Room for `count` matrices of this shape; what was computed before is gone unless nothing changes.
  // requireFits' errors; kOutOfMemory with the numbers.
  Result<void> reserve(std::uint64_t rows, std::uint64_t columns, std::uint32_t count);
  static std::uint64_t bytesOf(std::uint64_t rows, std::uint64_t columns);  // of device memory, a matrix

  // Where matrix `index` goes: (rows, columns) f32; for pairs between 1e-9 and 1e9, or 0.
  gpu::Slice input(std::uint32_t index);

  // Of all matrices, which must be finite. kCancelled when stopped, some milliseconds later.
  Result<void> compute(std::stop_token stop = {});
  // Of the last compute().
  Result<std::vector<Spectrum>> spectra() const;

  // Milliseconds of device time of the last compute(), by stage ("gram", "band", "tridiagonal",
  // "eigenvalues"); zero where there is none or the device has no timestamps.
  Result<std::vector<std::pair<std::string, double>>> stages() const;

  // Of `count` Gram matrices (n, n) in this form, one behind the other, that the device already has:
  // the singular values of each, descending, NaN where it is not finite. n is even. Errors as reserve()'s.
  Result<std::vector<std::vector<double>>> sigmaOfGrams(gpu::Slice grams, std::uint32_t n,
                                                        std::uint32_t count);

  // Of doubles; pairs go a column at a time. kAuto: what is fastest for the shape. The others are for tests
  // and benchmarks: a column at a time by panels even where the rest fits a cache; in two stages, over a
  // band.
  enum class Reduction { kAuto, kColumns, kPanels, kBand };
  void reduceBy(Reduction reduction);

  // Uploads, computes and reads; the matrices have one shape. Errors as above and requireFinite's.
  Result<std::vector<Spectrum>> spectraOf(std::span<const DenseMatrix> matrices, std::stop_token stop = {});

 private:
  friend class DeviceSvd;  // goes on where this ends
  DeviceSpectra();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::core
