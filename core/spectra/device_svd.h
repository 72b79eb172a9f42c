// Singular values with their vectors on a GPU, in double precision: as DeviceSpectra reduces the Gram matrix
// to tridiagonal form T, then the eigenvectors of T by twisted factorizations, made orthogonal by Newton's
// and Schulz' iteration, the reflections of the reduction applied to them, and the other side's vectors as A
// v / sigma (shaders/svd). Where T has eigenvalues closer than rounding (low rank, equal values), LAPACK's
// divide and conquer takes that step; where singular values lie far below the largest, whose vectors a Gram
// matrix does not determine, QR and an SVD of that part alone on the CPU.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/spectra/full_svd.h"
#include "gpu/device.h"

namespace vitrine::core {

class DeviceSvd {
 public:
  // kUnsupported on a device without double precision.
  static Result<std::unique_ptr<DeviceSvd>> create(gpu::Device& device);
  ~DeviceSvd();
  static bool isFaster(const gpu::Device& device);  // than LAPACK: of a GPU with double precision

  // As fullSvd of the matrix: ||A - U S V^T|| and what U^T U and V^T V are off by are rounding, in the
  // directions of small values too. From any thread, one at a time. Errors: fullSvd's,
  // DeviceSpectra::reserve's, kCancelled.
  Result<FullSvd> decompose(const Eigen::MatrixXd& matrix, std::stop_token stop = {});

  // How the last decomposition went.
  struct Path {
    bool host_vectors = false;  // of T, by LAPACK
    Eigen::Index tail = 0;      // directions that QR completed
    // Milliseconds of wall time, by stage: "upload", "reduction", "tridiagonal vectors", ..
    std::vector<std::pair<std::string, double>> stages;
  };
  Path path() const;

 private:
  DeviceSvd();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::core
