// The directions of small singular values, which the Gram matrix leaves undetermined.
#pragma once

#include "core/spectra/full_svd.h"

namespace vitrine::core {

// Of A (m, n) with m >= n: v (n, n) orthonormal, A v = u with columns of length sigma, descending, and those
// orthogonal to within rounding of sigma_1^2. Makes u orthonormal: by dividing, and from where sigma is below
// 1e-4 of the largest, by QR against the others and an SVD of that part, which turns v there too. Returns how
// many directions that were. kUnsupported where LAPACK does not converge.
Result<Eigen::Index> completeTail(FullSvd& svd);

}  // namespace vitrine::core
