#include "core/spectra/streaming_svd.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "core/spectra/full_svd.h"
#include "core/spectra/running_gram.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

struct ThinQr {
  MatrixXd q, r;
};

ThinQr thinQr(const MatrixXd& a) {
  const Eigen::HouseholderQR<MatrixXd> qr(a);
  const Index columns = std::min(a.rows(), a.cols());
  return {.q = qr.householderQ() * MatrixXd::Identity(a.rows(), columns),
          .r = qr.matrixQR().topRows(columns).triangularView<Eigen::Upper>()};
}

}  // namespace

StreamingSvd::StreamingSvd(std::uint32_t width, StreamingSvdOptions options)
    : width_(width), options_(options), waiting_(width, options.block), v_(width, 0), sigma_(0) {}

void StreamingSvd::reset() {
  *this = StreamingSvd(width_, options_);
}

Result<void> StreamingSvd::add(std::span<const float> rows) {
  TRY(requireFiniteRows(rows, width_, rows_));
  for (; !rows.empty(); rows = rows.subspan(width_)) {
    waiting_.col(waits_++) = Eigen::Map<const Eigen::VectorXf>(rows.data(), width_).cast<double>();
    ++rows_;
    if (waits_ == waiting_.cols()) TRY(update());
  }
  return {};
}

// [U S V^T; E] = blkdiag(U, I) [S 0; E V, R^T] [V Q]^T, where Q R is what of E^T lies outside V.
Result<void> StreamingSvd::update() {
  if (waits_ == 0) return {};
  const auto block = waiting_.leftCols(waits_);
  energy_ += block.squaredNorm();
  const Index kept = sigma_.size(), rows = waits_;
  const MatrixXd inside = v_.transpose() * block;  // (kept, rows)
  MatrixXd outside = block - v_ * inside;
  outside -= v_ * (v_.transpose() * outside);  // what rounding left of V in it
  const ThinQr qr = thinQr(outside);
  const Index added = qr.q.cols();
  MatrixXd core = MatrixXd::Zero(kept + rows, kept + added), basis(width_, kept + added);
  core.topLeftCorner(kept, kept) = sigma_.asDiagonal();
  core.bottomLeftCorner(rows, kept) = inside.transpose();
  core.bottomRightCorner(rows, added) = qr.r.transpose();
  basis << v_, qr.q;
  waits_ = 0;
  TRY(keep(basis, core));
  return drift() > options_.drift ? reorthogonalize() : Result<void>{};
}

Result<void> StreamingSvd::keep(const MatrixXd& basis, const MatrixXd& core) {
  TRY_ASSIGN(const FullSvd svd, fullSvd(core));
  const Index kept = std::min<Index>({svd.sigma.size(), Index{options_.rank}, Index{width_}});
  const Index left = svd.sigma.size() - kept;
  if (left > 0) {
    left_out_ += svd.sigma.tail(left).squaredNorm();
    largest_left_out_ += svd.sigma[kept] * svd.sigma[kept];
  }
  v_ = basis * svd.v.leftCols(kept);
  sigma_ = svd.sigma.head(kept);
  return {};
}

Result<void> StreamingSvd::reorthogonalize() {
  ++reorthogonalized_;
  const ThinQr qr = thinQr(v_);
  return keep(qr.q, sigma_.asDiagonal() * qr.r.transpose());
}

double StreamingSvd::drift() const {
  if (v_.cols() == 0) return 0;
  return (v_.transpose() * v_ - MatrixXd::Identity(v_.cols(), v_.cols())).cwiseAbs().maxCoeff();
}

Result<std::vector<double>> StreamingSvd::sigma() {
  TRY(update());
  const auto count = static_cast<Index>(std::min<std::uint64_t>(rows_, sigma_.size()));
  return std::vector<double>(sigma_.begin(), sigma_.begin() + count);
}

double StreamingSvd::slack() const {
  return std::min(left_out_, largest_left_out_);
}

double StreamingSvd::upperBound(double sigma) const {
  return std::sqrt(sigma * sigma + slack());
}

}  // namespace vitrine::core
