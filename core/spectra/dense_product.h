// Products of matrices in double precision by BLAS.
#pragma once

#include <Eigen/Core>

namespace vitrine::core {

enum class Side { kAsIs, kTransposed };

// a b, of either its transpose where so said. The inner sizes must agree.
Eigen::MatrixXd multiply(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, Side a_side = Side::kAsIs,
                         Side b_side = Side::kAsIs);

}  // namespace vitrine::core
