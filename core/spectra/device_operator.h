// A matrix that lies on a device, by its products with blocks of vectors: what topSingular() asks for.
#pragma once

#include <memory>

#include "core/spectra/top_k.h"
#include "gpu/device.h"

namespace vitrine::core {

class DeviceOperator {
 public:
  // In double precision. kUnsupported on a device without that; kOutOfMemory; the errors of uploads.
  static Result<std::unique_ptr<DeviceOperator>> create(gpu::Device& device, const Eigen::MatrixXd& matrix);
  ~DeviceOperator();

  // Refers to this. One thread at a time.
  LinearOperator linear();

 private:
  DeviceOperator();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::core
