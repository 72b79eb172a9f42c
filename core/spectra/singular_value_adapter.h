// A weight of which only the first singular values may change (SVFit, arXiv:2409.05926): with W = U S V^T
//   W(s) = U_r diag(s) V_r^T + (W - U_r S_r V_r^T),  s (r)
// U_r, V_r and the residual stay, so that W(S_r) = W and W(s) has the singular values s and those of the
// rest.
#pragma once

#include "core/spectra/full_svd.h"

namespace vitrine::core {

struct SingularValueAdapter {
  Eigen::MatrixXd u, v;      // (m, r), (n, r)
  Eigen::VectorXd sigma;     // (r): where training starts
  Eigen::MatrixXd residual;  // (m, n)

  Eigen::MatrixXd merged(const Eigen::VectorXd& values) const;
  // Of the r values that bring W(s) nearest to `aim` in the Frobenius norm: diag(U_r^T (aim - residual) V_r).
  Eigen::VectorXd nearest(const Eigen::MatrixXd& aim) const;
};

// Of the first values that hold `share` of the energy, at least one. Errors: fullSvd's.
Result<SingularValueAdapter> singularValueAdapter(const Eigen::MatrixXd& matrix, double share);

}  // namespace vitrine::core
