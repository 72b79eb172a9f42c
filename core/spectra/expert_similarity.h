// How alike the matrices of a mixture's experts are. Experts W_e (m, n), e < E.
//   cosine   <W_a, W_b> / (||W_a||_F ||W_b||_F), as they are stored; 0 +- 1 / sqrt(m n) of independent ones.
//            Experts whose hidden units come in another order compute the same and have cosines near 0 too.
//   common   ||mean W||_F^2 / mean ||W_e||_F^2, in [0, 1]: 1 of equal experts, 1 / E of orthogonal ones
//   overlap  ||U_a^T U_b||_F^2 / k of their k leading singular vectors (projection kernel; Hamm and Lee,
//            "Grassmann discriminant analysis", ICML 2008), in [0, 1]; k / m of random ones. On the side of
//            the stream the order of hidden units does not matter.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/spectra/full_svd.h"

namespace vitrine::core {

// The name with * for the expert's number: of "experts.3." and of a stack's "[3]". Nothing of other names.
std::optional<std::string> nameWithoutExpert(const std::string& name);

struct ExpertCosines {
  Eigen::MatrixXd cosines;  // (E, E); 0 where an expert is zero
  double common = 0;        // 0 where all are
};
// `flat`: (m n, E), an expert a column.
ExpertCosines expertCosines(const Eigen::MatrixXd& flat);

// `bases`: orthonormal columns of one length, at most k each. (E, E): over the smaller number of columns; 0
// where one has none.
Eigen::MatrixXd subspaceOverlaps(std::span<const Eigen::MatrixXd> bases);

struct OffDiagonal {
  double mean = 0, most = 0;  // NaN of one expert
};
OffDiagonal offDiagonal(const Eigen::MatrixXd& square);

}  // namespace vitrine::core
