#include "core/spectra/scaled_upload.h"

#include <algorithm>
#include <cmath>

#include "gpu/commands.h"

namespace vitrine::core {

Result<int> uploadScaled(gpu::Device& device, const DenseMatrix& matrix, gpu::Slice to) {
  float largest = 0;
  for (const float value : matrix.values) largest = std::max(largest, std::abs(value));
  int exponent = 0;
  std::frexp(largest, &exponent);
  // Of elements from 2^-60 up what becomes zero is below 1e-20 of the largest.
  if (std::abs(exponent) <= 60) {
    TRY(gpu::upload(device, std::as_bytes(std::span(matrix.values)), to));
    return 0;
  }
  std::vector<float> scaled = matrix.values;
  for (float& value : scaled) value = std::ldexp(value, -exponent);
  TRY(gpu::upload(device, std::as_bytes(std::span(scaled)), to));
  return exponent;
}

}  // namespace vitrine::core
