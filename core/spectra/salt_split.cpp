#include "core/spectra/salt_split.h"

#include <algorithm>

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// What of the shifts y a line over s explains: ||y||^2 less the least of ||y - alpha s - beta||^2.
double explainedByALine(const VectorXd& s, const VectorXd& y) {
  if (y.size() == 0) return 0;
  const VectorXd x = s.array() - s.mean(), centred = y.array() - y.mean();
  const double mean_part = static_cast<double>(y.size()) * y.mean() * y.mean();
  const double spread = x.squaredNorm(), along = x.dot(centred);
  return mean_part + (spread > 0 ? along * along / spread : 0);
}

}  // namespace

double SaltSplit::explained(Index q) const {
  return head_diagonal + tail_sigma.head(std::min(q, tail_sigma.size())).squaredNorm();
}

double SaltSplit::parameters(Index q) const {
  return static_cast<double>(2 * head + 2 * q * tail_sigma.size());
}

Result<SaltSplit> saltSplit(const MatrixXd& d, const VectorXd& sigma, double total, Index head) {
  SaltSplit split{.head = std::min(head, d.rows()), .total = total, .tail_sigma = {}};
  const Index h = split.head, tail = d.rows() - h;
  const VectorXd shift = d.diagonal().head(h);
  split.head_diagonal = shift.squaredNorm();
  split.one_scale_and_shift = explainedByALine(sigma.head(h), shift);
  split.head_block = d.topLeftCorner(h, h).squaredNorm();
  split.tail_block = d.bottomRightCorner(tail, tail).squaredNorm();
  split.cross = std::max(0.0, d.squaredNorm() - split.head_block - split.tail_block);
  if (tail > 0) {
    TRY_ASSIGN(const FullSvd svd, fullSvd(MatrixXd(d.bottomRightCorner(tail, tail))));
    split.tail_sigma = svd.sigma;
  }
  return split;
}

}  // namespace vitrine::core
