#include "core/spectra/scaled_upload.h"

#include <algorithm>
#include <cmath>

#include "gpu/commands.h"

namespace vitrine::core {
namespace {

Result<int> uploadOne(gpu::Device& device, const DenseMatrix& matrix, gpu::Slice to, int most) {
  float largest = 0;
  for (const float value : matrix.values) largest = std::max(largest, std::abs(value));
  int exponent = 0;
  std::frexp(largest, &exponent);
  if (std::abs(exponent) <= most) {
    TRY(gpu::upload(device, std::as_bytes(std::span(matrix.values)), to));
    return 0;
  }
  std::vector<float> scaled = matrix.values;
  for (float& value : scaled) value = std::ldexp(value, -exponent);
  TRY(gpu::upload(device, std::as_bytes(std::span(scaled)), to));
  return exponent;
}

}  // namespace

Result<std::vector<int>> uploadScaled(gpu::Device& device, std::span<const DenseMatrix> matrices,
                                      const std::function<gpu::Slice(std::uint32_t)>& to, int most) {
  std::vector<int> exponents;
  for (const DenseMatrix& matrix : matrices) {
    VITRINE_ASSERT(matrix.rows == matrices[0].rows && matrix.columns == matrices[0].columns);
    TRY(requireFinite(matrix));
    TRY_ASSIGN(const int exponent,
               uploadOne(device, matrix, to(static_cast<std::uint32_t>(exponents.size())), most));
    exponents.push_back(exponent);
  }
  return exponents;
}

}  // namespace vitrine::core
