// Matrices on their way to a device whose arithmetic takes numbers below 1e-38 for zero.
#pragma once

#include "core/spectra/dense_matrix.h"
#include "gpu/buffer.h"

namespace vitrine::core {

// Puts the matrix over 2^e where `to` points; e, which is 0 unless the largest element is very small or very
// large.
Result<int> uploadScaled(gpu::Device& device, const DenseMatrix& matrix, gpu::Slice to);

}  // namespace vitrine::core
