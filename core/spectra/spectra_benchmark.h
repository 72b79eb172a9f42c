// How long a device takes for the singular values of matrices that it holds already.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/engine/benchmark.h"
#include "core/spectra/device_spectra.h"

namespace vitrine::core {

struct SpectraShape {
  std::uint32_t count = 1, rows = 0, columns = 0;
};
// "64x128x128": count, rows, columns; "1024x1024": one matrix.
Result<SpectraShape> parseSpectraShape(const std::string& text);

struct SpectraBenchmarkOptions {
  std::vector<SpectraShape> shapes;
  std::uint32_t repetitions = 20;   // after two that are not counted
  bool vectors = false;             // also of single matrices beyond kMostSmallSide (DeviceSvd)
  SumForm form = SumForm::kDouble;  // of the values; in pairs no vectors are timed
  DeviceSpectra::Reduction reduction = DeviceSpectra::Reduction::kAuto;
};

// Gaussian matrices. A row for each shape, in milliseconds of wall time from the submission to the values on
// the host, and one for each stage, in milliseconds of device time; up to kMostSmallSide also rows of the
// values with their vectors (SmallSvd), rotations in single and in double precision, in wall time.
// DeviceSvd's row begins and ends on the host; its stages follow, in wall time too,
// and what it is off by: ||A V - U S||_F / ||A||_F, and the largest elements of U^T U - I and V^T V - I.
Result<std::vector<BenchmarkRow>> runSpectraBenchmark(
    gpu::Device& device, const SpectraBenchmarkOptions& options,
    const std::function<void(const std::string&)>& progress);

}  // namespace vitrine::core
