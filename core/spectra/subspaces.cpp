#include "core/spectra/subspaces.h"

#include <algorithm>
#include <cmath>

#include "core/spectra/dense_product.h"
#include "core/spectra/full_svd.h"

namespace vitrine::core {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd cosinesOf(const MatrixXd& a, const MatrixXd& b) {
  return multiply(a, b, Side::kTransposed, Side::kAsIs);
}

MatrixXd subspaceSimilarity(const MatrixXd& cosines, Index limit) {
  const Index rows = std::min(limit, cosines.rows()), columns = std::min(limit, cosines.cols());
  MatrixXd sums = cosines.topLeftCorner(rows, columns).cwiseAbs2();
  for (Index i = 1; i < rows; ++i) sums.row(i) += sums.row(i - 1);
  for (Index j = 1; j < columns; ++j) sums.col(j) += sums.col(j - 1);
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; ++i) sums(i, j) /= static_cast<double>(std::min(i, j) + 1);
  return sums;
}

Result<std::vector<double>> principalAngles(const MatrixXd& a, const MatrixXd& b) {
  if (a.cols() < b.cols()) return principalAngles(b, a);
  const MatrixXd cosines = cosinesOf(a, b);
  // B's part outside of A: its singular values are the sines, ascending where the cosines descend.
  const MatrixXd outside = b - multiply(a, cosines);
  TRY_ASSIGN(const FullSvd inner, fullSvd(cosines));
  TRY_ASSIGN(const FullSvd outer, fullSvd(outside));
  const Index count = b.cols();
  std::vector<double> angles;
  for (Index i = 0; i < count; ++i) {
    const double cosine = std::min(inner.sigma[i], 1.0);
    // Where m < count there are fewer sines than angles: the first ones are 0.
    const Index at = count - 1 - i;
    const double sine = at < outer.sigma.size() ? std::min(outer.sigma[at], 1.0) : 0.0;
    angles.push_back(cosine * cosine > 0.5 ? std::asin(sine) : std::acos(cosine));
  }
  std::ranges::sort(angles);
  return angles;
}

std::vector<Index> clustersOf(const VectorXd& sigma, double width) {
  std::vector<Index> starts;
  for (Index i = 0; i < sigma.size(); ++i)
    if (starts.empty() || sigma[i] < (1 - width) * sigma[starts.back()]) starts.push_back(i);
  starts.push_back(sigma.size());
  return starts;
}

VectorXd bestMatch(const MatrixXd& cosines, const std::vector<Index>& clusters) {
  VectorXd best = VectorXd::Zero(cosines.cols());
  for (std::size_t c = 0; c + 1 < clusters.size(); ++c) {
    const auto rows = cosines.middleRows(clusters[c], clusters[c + 1] - clusters[c]);
    best = best.cwiseMax(rows.colwise().norm().transpose());
  }
  return best;
}

Eigen::MatrixXi intruderCounts(const VectorXd& best_match, const std::vector<std::size_t>& ks,
                               const std::vector<double>& epsilons) {
  Eigen::MatrixXi counts(static_cast<Index>(epsilons.size()), static_cast<Index>(ks.size()));
  for (std::size_t e = 0; e < epsilons.size(); ++e)
    for (std::size_t k = 0; k < ks.size(); ++k) {
      const auto first = best_match.head(std::min(static_cast<Index>(ks[k]), best_match.size()));
      counts(static_cast<Index>(e), static_cast<Index>(k)) =
          static_cast<int>((first.array() < epsilons[e]).count());
    }
  return counts;
}

}  // namespace vitrine::core
