// What DeviceSvd holds beside a DeviceSpectra of one matrix, and the recording of its commands
// (device_svd_recording.cpp). On the device lies the transpose of an Eigen matrix, row by row.
#pragma once

#include <mutex>

#include "core/engine/clock.h"
#include "core/spectra/device_spectra_impl.h"
#include "core/spectra/device_svd.h"
#include "svd/vectors.params.h"

namespace vitrine::core {

struct DeviceSvd::Impl {
  explicit Impl(gpu::Device& d) : device(d), spectra(d) {}

  gpu::Device& device;
  DeviceSpectra::Impl spectra;
  std::mutex one_at_a_time;
  Path path;
  Clock::time_point stage_begin;
  // (n, stride) each; (long side, stride); the rest is apply_reflectors' own.
  gpu::Buffer vectors, scratch, other, cross, inverse_taus, order, thin, sums, sums_host;
  SpectraBatchShape reserved;

  const SpectraBatchShape& shape() const { return spectra.shape; }
  void ends(const char* stage);  // one that began where the last ended
  Result<void> reserve();
  Result<void> upload(const Eigen::MatrixXd& matrix);
  Result<void> findTridiagonalVectors(const std::stop_token& stop);

  Result<void> twist();
  Result<double> distanceFromOrthogonal();  // ||Z^T Z - I||_F; leaves Z^T Z in spectra.gram
  Result<void> orthogonalize();             // Z (3 I - Z^T Z) / 2
  Result<void> applyReflections(const std::stop_token& stop);
  Result<void> applyBlock(gpu::Commands& commands, std::uint32_t block);
  Result<void> multiply(const std::stop_token& stop);
  Result<FullSvd> ordered();  // u and sigma of the other side, v of the Gram matrix's
  Result<std::vector<double>> columnLengths();
  Result<Eigen::MatrixXd> readOrdered(const gpu::Buffer& from, std::uint32_t rows);
  Result<void> write(
      const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>& vectors_of_t);

  shader::VectorsParams params() const;
  static tl::unexpected<Error> cancelled() { return fail(ErrorCode::kCancelled, "cancelled"); }
};

}  // namespace vitrine::core
