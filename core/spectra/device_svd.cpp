#include "core/spectra/device_svd.h"

#include <lapacke.h>

#include <cmath>
#include <mutex>
#include <numeric>

#include "core/engine/clock.h"
#include "core/spectra/device_svd_impl.h"
#include "core/spectra/svd_tail.h"

namespace vitrine::core {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Index = Eigen::Index;

// Divides by 2^exponent, so that neither squares nor fourth powers leave the range.
int exponentOf(const Eigen::MatrixXd& matrix) {
  int exponent = 0;
  std::frexp(matrix.cwiseAbs().maxCoeff(), &exponent);
  return exponent;
}

// By divide and conquer, which keeps vectors of equal values orthogonal. Values ascend.
Result<Rows> vectorsOf(std::vector<double> diagonal, std::vector<double> beside) {
  const auto n = static_cast<lapack_int>(diagonal.size());
  Eigen::MatrixXd z(n, n);
  beside.resize(diagonal.size());  // LAPACKE looks at n of them
  const lapack_int left =
      LAPACKE_dstedc(LAPACK_COL_MAJOR, 'I', n, diagonal.data(), beside.data(), z.data(), n);
  if (left == 0) return Rows(z);
  return fail(ErrorCode::kUnsupported, "LAPACK's dstedc did not converge on {} values (info {})", n, left);
}

// Values by the lengths of the unscaled vectors, which are more accurate than the roots of G's; descending.
FullSvd sorted(const Rows& own, const Rows& other) {
  const Index r = own.cols();
  Eigen::VectorXd lengths = other.colwise().norm();
  std::vector<Index> order(static_cast<std::size_t>(r));
  std::iota(order.rbegin(), order.rend(), Index{0});  // ascending as the device has them: turn around
  std::ranges::stable_sort(order, std::greater<>(), [&](Index i) { return lengths[i]; });
  FullSvd svd{.u = Eigen::MatrixXd(other.rows(), r),
              .sigma = Eigen::VectorXd(r),
              .v = Eigen::MatrixXd(own.rows(), r)};
  for (Index i = 0; i < r; ++i) {
    const Index from = order[static_cast<std::size_t>(i)];
    svd.sigma[i] = lengths[from];
    svd.u.col(i) = other.col(from);
    svd.v.col(i) = own.col(from);
  }
  return svd;
}

}  // namespace

DeviceSvd::DeviceSvd() = default;
DeviceSvd::~DeviceSvd() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<DeviceSvd>> DeviceSvd::create(gpu::Device& device) {
  TRY(DeviceSpectra::create(device));
  std::unique_ptr<DeviceSvd> svd(new DeviceSvd);
  svd->impl_ = std::make_unique<Impl>(device);
  return svd;
}

DeviceSvd::Path DeviceSvd::path() const {
  return impl_->path;
}

Result<FullSvd> DeviceSvd::decompose(const Eigen::MatrixXd& matrix, std::stop_token stop) {
  TRY(requireVectors(matrix));
  TRY(DeviceSpectra::requireFits(std::uint64_t(matrix.rows()), std::uint64_t(matrix.cols())));
  const std::lock_guard lock(impl_->one_at_a_time);
  impl_->path = {};
  impl_->stage_begin = Clock::now();
  const int exponent = exponentOf(matrix);
  TRY(impl_->upload(matrix * std::ldexp(1.0, -exponent)));
  impl_->ends("upload");
  TRY(impl_->spectra.compute(stop));
  impl_->ends("reduction");
  TRY(impl_->findTridiagonalVectors(stop));
  impl_->ends("orthogonalization");
  TRY(impl_->applyReflections(stop));
  impl_->ends("reflections");
  TRY(impl_->multiply(stop));
  impl_->ends("other side");
  TRY_ASSIGN(const Rows own, impl_->read(impl_->vectors, impl_->shape().n()));
  TRY_ASSIGN(const Rows other, impl_->read(impl_->other, impl_->shape().longSide()));
  impl_->ends("download");
  FullSvd svd = sorted(own, other);
  TRY_ASSIGN(impl_->path.tail, completeTail(svd));
  // On the device lies the transpose, row by row; of equal sides its columns are `own`.
  if (matrix.rows() <= matrix.cols()) std::swap(svd.u, svd.v);
  svd.sigma *= std::ldexp(1.0, exponent);
  fixSigns(svd);
  impl_->ends("order and tail");
  return svd;
}

void DeviceSvd::Impl::ends(const char* stage) {
  path.stages.emplace_back(stage, 1e3 * secondsSince(stage_begin));
  stage_begin = Clock::now();
}

Result<void> DeviceSvd::Impl::upload(const Eigen::MatrixXd& matrix) {
  TRY(spectra.reserve({.rows = std::uint32_t(matrix.cols()),
                       .columns = std::uint32_t(matrix.rows()),
                       .count = 1,
                       .with_vectors = true}));
  TRY(reserve());
  return gpu::upload(device, std::as_bytes(std::span(matrix.data(), std::size_t(matrix.size()))),
                     spectra.input);
}

Result<void> DeviceSvd::Impl::findTridiagonalVectors(const std::stop_token& stop) {
  constexpr double kTooFar = 1e-2, kNear = 1e-5;  // ||Z^T Z - I||_F; its square is known to 1e-12 n
  constexpr int kMostSteps = 4;
  TRY(twist());
  ends("tridiagonal vectors");
  double distance = 1;
  for (int step = 0; step < kMostSteps; ++step) {
    if (stop.stop_requested()) return cancelled();
    TRY_ASSIGN(distance, distanceFromOrthogonal());
    if (!(distance < kTooFar)) break;
    TRY(orthogonalize());
    if (distance < kNear) return {};  // its square is what is left now
  }
  path.host_vectors = true;
  const std::span<const double> form = spectra.host.mappedAs<double>().subspan(0, shape().result());
  const auto n = static_cast<std::ptrdiff_t>(shape().n());
  TRY_ASSIGN(const Rows z, vectorsOf({form.begin(), form.begin() + n}, {form.begin() + n, form.end()}));
  return write(z);
}

}  // namespace vitrine::core
