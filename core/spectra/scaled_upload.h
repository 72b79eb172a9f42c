// Matrices on their way to a device whose arithmetic takes numbers below 1e-38 for zero.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/spectra/dense_matrix.h"
#include "gpu/buffer.h"

namespace vitrine::core {

// Of elements from 2^-60 up what becomes zero is below 1e-20 of the largest.
inline constexpr int kDoubleExponents = 60;

// Puts each matrix over 2^e where `to` says; the exponents e, which are 0 unless that of a matrix's largest
// element is beyond `most` in size. The matrices have one shape. Errors: requireFinite's.
Result<std::vector<int>> uploadScaled(gpu::Device& device, std::span<const DenseMatrix> matrices,
                                      const std::function<gpu::Slice(std::uint32_t)>& to,
                                      int most = kDoubleExponents);

}  // namespace vitrine::core
