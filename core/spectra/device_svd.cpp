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

// What to divide by as a power of two, so that neither squares nor fourth powers leave the range; 0 where
// they do not.
int exponentOf(const Eigen::MatrixXd& matrix) {
  int exponent = 0;
  std::frexp(matrix.cwiseAbs().maxCoeff(), &exponent);
  return std::abs(exponent) <= 60 ? 0 : exponent;
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

// Descending; the device's ascend, so that equal ones are turned around.
std::vector<std::uint32_t> descending(const std::vector<double>& lengths) {
  std::vector<std::uint32_t> order(lengths.size());
  std::iota(order.rbegin(), order.rend(), 0u);
  std::ranges::stable_sort(order, std::greater<>(), [&](std::uint32_t i) { return lengths[i]; });
  return order;
}

}  // namespace

DeviceSvd::DeviceSvd() = default;
DeviceSvd::~DeviceSvd() {
  if (impl_) (void)impl_->device.waitIdle();
}

Result<std::unique_ptr<DeviceSvd>> DeviceSvd::create(gpu::Device& device) {
  TRY(DeviceSpectra::create(device, SumForm::kDouble));
  std::unique_ptr<DeviceSvd> svd(new DeviceSvd);
  svd->impl_ = std::make_unique<Impl>(device);
  return svd;
}

bool DeviceSvd::isFaster(const gpu::Device& device) {
  return !device.info().software && device.info().features.float64;
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
  TRY(exponent == 0 ? impl_->upload(matrix) : impl_->upload(matrix * std::ldexp(1.0, -exponent)));
  impl_->ends("upload");
  TRY(impl_->spectra.compute(stop));
  impl_->ends("reduction");
  TRY(impl_->findTridiagonalVectors(stop));
  impl_->ends("orthogonalization");
  TRY(impl_->applyReflections(stop));
  impl_->ends("reflections");
  TRY(impl_->multiply(stop));
  impl_->ends("other side");
  TRY_ASSIGN(FullSvd svd, impl_->ordered());
  impl_->ends("download");
  TRY_ASSIGN(impl_->path.tail, completeTail(svd));
  // On the device lies the transpose, row by row; of equal sides its columns are `own`.
  if (matrix.rows() <= matrix.cols()) std::swap(svd.u, svd.v);
  svd.sigma *= std::ldexp(1.0, exponent);
  fixSigns(svd);
  impl_->ends("tail");
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

// Values by the lengths of the other side's vectors, which are more accurate than the roots of the Gram
// matrix's.
Result<FullSvd> DeviceSvd::Impl::ordered() {
  TRY_ASSIGN(const std::vector<double> lengths, columnLengths());
  const std::vector<std::uint32_t> places = descending(lengths);
  TRY(gpu::upload(device, std::as_bytes(std::span(places)), order));
  FullSvd svd{.u = {}, .sigma = Eigen::VectorXd(Index(lengths.size())), .v = {}};
  for (std::size_t i = 0; i < places.size(); ++i) svd.sigma[Index(i)] = lengths[places[i]];
  TRY_ASSIGN(svd.u, readOrdered(other, shape().longSide()));
  TRY_ASSIGN(svd.v, readOrdered(vectors, shape().n()));
  return svd;
}

}  // namespace vitrine::core
