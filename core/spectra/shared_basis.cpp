#include "core/spectra/shared_basis.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/spectra/dense_product.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

struct SharedBases {
  MatrixXd u, v;
};

VectorXd diagonalOf(const MatrixXd& u, const MatrixXd& change, const MatrixXd& v) {
  return multiply(change, v).cwiseProduct(u).colwise().sum().transpose();
}

double keptBy(const SharedBases& bases, std::span<const MatrixXd> changes) {
  double kept = 0;
  for (const MatrixXd& change : changes) kept += diagonalOf(bases.u, change, bases.v).squaredNorm();
  return kept;
}

// The nearest matrix with orthonormal columns.
Result<MatrixXd> polar(const MatrixXd& matrix) {
  TRY_ASSIGN(const FullSvd svd, fullSvd(matrix));
  return multiply(svd.u, svd.v, Side::kAsIs, Side::kTransposed);
}

Result<SharedBases> stackedBases(std::span<const MatrixXd> changes, Index rank) {
  const Index m = changes[0].rows(), n = changes[0].cols(), count = static_cast<Index>(changes.size());
  MatrixXd beside(m, n * count), below(n, m * count);  // the latter transposed
  for (Index g = 0; g < count; ++g) {
    beside.middleCols(g * n, n) = changes[static_cast<std::size_t>(g)];
    below.middleCols(g * m, m) = changes[static_cast<std::size_t>(g)].transpose();
  }
  TRY_ASSIGN(const FullSvd left, fullSvd(beside));
  TRY_ASSIGN(const FullSvd right, fullSvd(below));
  return SharedBases{left.u.leftCols(rank), right.u.leftCols(rank)};
}

// Singular vectors of a combination of the changes inside of the stacked bases.
Result<SharedBases> startOf(const SharedBases& stacked, std::span<const MatrixXd> changes,
                            const VectorXd& weights) {
  MatrixXd core = MatrixXd::Zero(stacked.u.cols(), stacked.v.cols());
  for (std::size_t g = 0; g < changes.size(); ++g)
    core += weights[static_cast<Index>(g)] *
            multiply(multiply(stacked.u, changes[g], Side::kTransposed, Side::kAsIs), stacked.v);
  TRY_ASSIGN(const FullSvd svd, fullSvd(core));
  return SharedBases{multiply(stacked.u, svd.u), multiply(stacked.v, svd.v)};
}

// Each change alone, and two combinations whose values no coincidence makes equal.
std::vector<VectorXd> startWeights(std::span<const MatrixXd> changes) {
  const Index count = static_cast<Index>(changes.size());
  std::vector<VectorXd> all;
  for (Index g = 0; g < count; ++g) all.push_back(VectorXd::Unit(count, g));
  for (const double sign : {1.0, -1.0}) {
    VectorXd mixed(count);
    for (Index g = 0; g < count; ++g) {
      const double norm = changes[static_cast<std::size_t>(g)].norm();
      mixed[g] =
          (g % 2 == 1 ? sign : 1.0) * std::pow(0.7548776662, static_cast<double>(g)) / (norm > 0 ? norm : 1);
    }
    all.push_back(std::move(mixed));
  }
  return all;
}

Result<SharedBases> improved(const SharedBases& from, std::span<const MatrixXd> changes) {
  SharedBases to = from;
  MatrixXd left = MatrixXd::Zero(from.u.rows(), from.u.cols()),
           right = MatrixXd::Zero(from.v.rows(), from.v.cols());
  for (const MatrixXd& change : changes)
    left += multiply(change, to.v) * diagonalOf(to.u, change, to.v).asDiagonal();
  TRY_ASSIGN(to.u, polar(left));
  for (const MatrixXd& change : changes)
    right +=
        multiply(change, to.u, Side::kTransposed, Side::kAsIs) * diagonalOf(to.u, change, to.v).asDiagonal();
  TRY_ASSIGN(to.v, polar(right));
  return to;
}

void order(SharedBasis& basis) {
  VectorXd energy = VectorXd::Zero(basis.u.cols());
  for (const VectorXd& sigma : basis.sigma) energy += sigma.cwiseAbs2();
  std::vector<Index> by(static_cast<std::size_t>(energy.size()));
  std::iota(by.begin(), by.end(), Index{0});
  std::ranges::stable_sort(by, [&](Index a, Index b) { return energy[a] > energy[b]; });
  basis.u = basis.u(Eigen::all, by).eval();
  basis.v = basis.v(Eigen::all, by).eval();
  for (VectorXd& sigma : basis.sigma) sigma = sigma(by).eval();
}

}  // namespace

Result<SharedBasis> sharedBasis(std::span<const MatrixXd> changes, Index rank, int most_steps) {
  if (changes.empty()) return fail(ErrorCode::kInvalidArgument, "no changes to share a basis");
  const Index m = changes[0].rows(), n = changes[0].cols();
  for (const MatrixXd& change : changes)
    if (change.rows() != m || change.cols() != n)
      return fail(ErrorCode::kInvalidArgument, "changes of {} x {} and {} x {} cannot share a basis", m, n,
                  change.rows(), change.cols());
  rank = std::min({rank, m, n});
  TRY_ASSIGN(const SharedBases stacked, stackedBases(changes, rank));
  SharedBases best = stacked;
  double kept = -1;
  for (const VectorXd& weights : startWeights(changes)) {
    TRY_ASSIGN(SharedBases start, startOf(stacked, changes, weights));
    if (const double here = keptBy(start, changes); here > kept) {
      kept = here;
      best = std::move(start);
    }
  }
  SharedBasis found;
  while (found.steps < most_steps) {
    TRY_ASSIGN(SharedBases next, improved(best, changes));
    const double here = keptBy(next, changes);
    if (!(here > kept * (1 + 1e-12))) break;
    kept = here;
    best = std::move(next);
    ++found.steps;
  }
  found.u = std::move(best.u);
  found.v = std::move(best.v);
  for (const MatrixXd& change : changes) {
    TRY_ASSIGN(const FullSvd own, fullSvd(change));
    found.sigma.push_back(diagonalOf(found.u, change, found.v));
    found.energy.push_back(change.squaredNorm());
    found.kept_shared.push_back(found.sigma.back().squaredNorm());
    found.kept_stacked.push_back(
        multiply(multiply(stacked.u, change, Side::kTransposed, Side::kAsIs), stacked.v).squaredNorm());
    found.kept_own.push_back(own.sigma.head(rank).squaredNorm());
  }
  order(found);
  return found;
}

}  // namespace vitrine::core
