#include "core/spectra/running_gram.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>

namespace vitrine::core {
namespace {

// Rows of a stream as columns.
using StreamBlock = Eigen::Map<const Eigen::MatrixXf>;

StreamBlock blockOf(std::span<const float> rows, std::uint32_t width) {
  return {rows.data(), width, static_cast<Eigen::Index>(rows.size() / width)};
}

}  // namespace

Result<void> requireFiniteRows(std::span<const float> rows, std::uint32_t width, std::uint64_t first) {
  if (width == 0 || rows.size() % width != 0)
    return fail(ErrorCode::kInvalidArgument, "{} numbers are no whole rows of {}", rows.size(), width);
  const auto bad = std::ranges::find_if_not(rows, [](float v) { return std::isfinite(v); });
  if (bad == rows.end()) return {};
  const auto place = static_cast<std::uint64_t>(bad - rows.begin());
  return fail(ErrorCode::kInvalidFile, "element {} of row {} is {}: such rows have no singular values",
              place % width, first + place / width, *bad);
}

RunningGram::RunningGram(std::uint32_t width) : gram_(Eigen::MatrixXd::Zero(width, width)) {}

Result<void> RunningGram::add(std::span<const float> rows) {
  const auto width = static_cast<std::uint32_t>(gram_.rows());
  TRY(requireFiniteRows(rows, width, rows_));
  const Eigen::MatrixXd block = blockOf(rows, width).cast<double>();
  gram_.selfadjointView<Eigen::Lower>().rankUpdate(block);
  rows_ += static_cast<std::uint64_t>(block.cols());
  return {};
}

void RunningGram::reset() {
  rows_ = 0;
  gram_.setZero();
}

Result<std::vector<double>> RunningGram::sigma() const {
  return gramSigma(gram_, std::min<std::uint64_t>(rows_, static_cast<std::uint64_t>(gram_.rows())));
}

WindowGram::WindowGram(std::uint32_t width, std::uint32_t window)
    : width_(width),
      window_(window),
      ring_(Eigen::MatrixXd::Zero(width, window)),
      gram_(Eigen::MatrixXd::Zero(window, window)) {}

Result<void> WindowGram::add(std::span<const float> rows) {
  TRY(requireFiniteRows(rows, width_, rows_));
  const StreamBlock block = blockOf(rows, width_);
  for (Eigen::Index i = 0; i < block.cols(); ++i, ++rows_) {
    const auto slot = static_cast<Eigen::Index>(rows_ % window_);
    ring_.col(slot) = block.col(i).cast<double>();
    const Eigen::VectorXd products = ring_.transpose() * ring_.col(slot);
    gram_.col(slot) = products;
    gram_.row(slot) = products.transpose();
  }
  return {};
}

void WindowGram::reset() {
  rows_ = 0;
  ring_.setZero();
  gram_.setZero();
}

std::uint32_t WindowGram::held() const {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(rows_, window_));
}

// Slots that were never filled are zero rows and columns: they add zeros to the end.
Result<std::vector<double>> WindowGram::sigma() const {
  const auto held = static_cast<Eigen::Index>(this->held());
  return gramSigma(gram_.topLeftCorner(held, held), std::min<std::uint32_t>(this->held(), width_));
}

Result<std::vector<double>> gramSigma(Eigen::MatrixXd gram, std::size_t count) {
  const auto n = static_cast<lapack_int>(gram.rows());
  if (n == 0 || count == 0) return std::vector<double>{};
  if (!gram.triangularView<Eigen::Lower>().toDenseMatrix().allFinite())
    return fail(ErrorCode::kInvalidFile, "a Gram matrix that is not finite has no singular values");
  Eigen::VectorXd values(n);
  if (const lapack_int left = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'N', 'L', n, gram.data(), n, values.data());
      left != 0)
    return fail(ErrorCode::kUnsupported, "LAPACK's dsyevd did not converge (info {})", left);
  std::vector<double> sigma;
  for (Eigen::Index i = n - 1; i >= 0 && sigma.size() < count; --i)
    sigma.push_back(std::sqrt(std::max(values[i], 0.0)));
  return sigma;
}

}  // namespace vitrine::core
