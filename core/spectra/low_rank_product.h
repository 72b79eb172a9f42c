// M = left right of two thin factors, analysed without M: QR of the factors, then the r x r core
// R_left R_right^T, in double precision. A d x d product of rank r costs O(d r^2) time and O(d r) memory.
#pragma once

#include <Eigen/Core>

#include "core/spectra/full_svd.h"
#include "core/spectra/spectrum.h"

namespace vitrine::core {

struct LowRankProduct {
  Eigen::MatrixXd left, right;  // (m, r), (r, n)
};

// Of M: `rows` m, `columns` n, but `sigma` holds only the min(m, n, r) values that can differ from zero. The
// certificate compares with ||M||_F^2 and ||M M^T||_F^2 from the factors' Gram matrices, which no value went
// through; it has no Sturm counts. Errors as fullSvd's; kInvalidArgument where the factors do not fit
// together.
Result<Spectrum> productSpectrum(const LowRankProduct& product);
// Thin: of those min(m, n, r) values. The same errors.
Result<FullSvd> productSvd(const LowRankProduct& product);
// R of the QR factors of `a`, (min(m, n), n): R^T R = a^T a.
Result<Eigen::MatrixXd> triangularFactor(const Eigen::MatrixXd& a);

}  // namespace vitrine::core
