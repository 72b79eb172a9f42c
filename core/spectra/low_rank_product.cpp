#include "core/spectra/low_rank_product.h"

#include <lapacke.h>

#include <cmath>
#include <limits>

#include "core/spectra/dense_product.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

Result<void> requireFactors(const LowRankProduct& product) {
  if (product.left.cols() != product.right.rows())
    return fail(ErrorCode::kInvalidArgument, "factors of {} x {} and {} x {} have no product",
                product.left.rows(), product.left.cols(), product.right.rows(), product.right.cols());
  if (product.left.size() == 0 || product.right.size() == 0)
    return fail(ErrorCode::kInvalidArgument, "a product of factors without elements has no singular values");
  for (const MatrixXd* factor : {&product.left, &product.right})
    if (!factor->allFinite())
      return fail(ErrorCode::kInvalidFile, "the {} factor of a product has NaN or infinity in it",
                  factor == &product.left ? "left" : "right");
  return {};
}

enum class WithQ { kNo, kYes };

// a = q r with q (m, k), r (k, n), k = min(m, n).
struct QrFactors {
  MatrixXd q, r;
};

Result<QrFactors> qrOf(MatrixXd a, WithQ with_q) {
  const auto m = static_cast<lapack_int>(a.rows()), n = static_cast<lapack_int>(a.cols());
  const lapack_int k = std::min(m, n);
  Eigen::VectorXd tau(k);
  QrFactors qr;
  if (LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, a.data(), m, tau.data()) != 0)
    return fail(ErrorCode::kOutOfMemory, "LAPACK has no room for the QR factors of {} x {}", m, n);
  qr.r = a.topRows(k).triangularView<Eigen::Upper>();
  if (with_q == WithQ::kNo) return qr;
  if (LAPACKE_dorgqr(LAPACK_COL_MAJOR, m, k, k, a.data(), m, tau.data()) != 0)
    return fail(ErrorCode::kOutOfMemory, "LAPACK has no room for the QR factors of {} x {}", m, n);
  qr.q = a.leftCols(k);
  return qr;
}

struct ProductGrams {
  MatrixXd left, right;  // (r, r): left^T left, right right^T

  explicit ProductGrams(const LowRankProduct& product)
      : left(multiply(product.left, product.left, Side::kTransposed, Side::kAsIs)),
        right(multiply(product.right, product.right, Side::kAsIs, Side::kTransposed)) {}

  // ||M||_F^2 = tr(left right); rounding may leave a zero negative.
  double squares() const { return std::max(0.0, left.cwiseProduct(right).sum()); }
  // ||M M^T||_F^2 = tr((left right)^2).
  double fourth() const {
    const MatrixXd both = multiply(left, right);
    return std::max(0.0, both.cwiseProduct(both.transpose()).sum());
  }
};

double offBy(double found, double expected) {
  return expected == 0 ? found : std::abs(found - expected) / expected;
}

}  // namespace

Result<Spectrum> productSpectrum(const LowRankProduct& product) {
  TRY(requireFactors(product));
  TRY_ASSIGN(const QrFactors left, qrOf(product.left, WithQ::kNo));
  TRY_ASSIGN(const QrFactors right, qrOf(product.right.transpose(), WithQ::kNo));
  TRY_ASSIGN(const FullSvd core, fullSvd(multiply(left.r, right.r, Side::kAsIs, Side::kTransposed)));
  const ProductGrams grams(product);
  Spectrum spectrum{.rows = static_cast<std::uint64_t>(product.left.rows()),
                    .columns = static_cast<std::uint64_t>(product.right.cols()),
                    .sigma = {core.sigma.begin(), core.sigma.end()},
                    .frobenius = std::sqrt(grams.squares()),
                    .certificate = {}};
  // Rounding of M's factors moves a value by a few eps ||left|| ||right||, however small M is; ||G||_F^(1/2)
  // bounds a norm.
  spectrum.floor = static_cast<double>(product.left.cols()) * std::numeric_limits<double>::epsilon() *
                   std::sqrt(grams.left.norm() * grams.right.norm());
  const double fourth = grams.fourth();
  spectrum.certificate.energy = offBy(core.sigma.squaredNorm(), grams.squares());
  spectrum.certificate.fourth = offBy(core.sigma.array().square().square().sum(), fourth);
  spectrum.certificate.upper_bound = std::sqrt(std::sqrt(fourth));
  return spectrum;
}

Result<FullSvd> productSvd(const LowRankProduct& product) {
  TRY(requireFactors(product));
  TRY_ASSIGN(const QrFactors left, qrOf(product.left, WithQ::kYes));
  TRY_ASSIGN(const QrFactors right, qrOf(product.right.transpose(), WithQ::kYes));
  TRY_ASSIGN(FullSvd svd, fullSvd(multiply(left.r, right.r, Side::kAsIs, Side::kTransposed)));
  svd.u = multiply(left.q, svd.u);
  svd.v = multiply(right.q, svd.v);
  fixSigns(svd);
  return svd;
}

Result<MatrixXd> triangularFactor(const MatrixXd& a) {
  TRY_ASSIGN(QrFactors qr, qrOf(a, WithQ::kNo));
  return std::move(qr.r);
}

}  // namespace vitrine::core
