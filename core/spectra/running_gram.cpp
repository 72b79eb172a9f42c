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

// Descending, of a matrix whose lower triangle (in column-major order) is read; with 'V' it becomes the
// vectors.
Result<std::vector<double>> gramRoots(double* gram, Eigen::Index rows, char vectors) {
  const auto n = static_cast<lapack_int>(rows);
  for (Eigen::Index column = 0; column < rows; ++column)
    if (!std::all_of(gram + column * rows + column, gram + (column + 1) * rows,
                     [](double v) { return std::isfinite(v); }))
      return fail(ErrorCode::kInvalidFile, "a Gram matrix that is not finite has no singular values");
  std::vector<double> values(static_cast<std::size_t>(rows));
  if (const lapack_int left = LAPACKE_dsyevd(LAPACK_COL_MAJOR, vectors, 'L', n, gram, n, values.data());
      left != 0)
    return fail(ErrorCode::kUnsupported, "LAPACK's dsyevd did not converge (info {})", left);
  std::ranges::reverse(values);
  for (double& value : values) value = std::sqrt(std::max(value, 0.0));
  return values;
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
  if (gram.size() == 0 || count == 0) return std::vector<double>{};
  TRY_ASSIGN(std::vector<double> sigma, gramRoots(gram.data(), gram.rows(), 'N'));
  sigma.resize(std::min(sigma.size(), count));
  return sigma;
}

Result<std::vector<double>> gramVectors(std::span<double> gram) {
  const auto n = static_cast<Eigen::Index>(std::lround(std::sqrt(static_cast<double>(gram.size()))));
  TRY_ASSIGN(std::vector<double> sigma, gramRoots(gram.data(), n, 'V'));
  // LAPACK's columns, which are rows to us, ascend.
  for (Eigen::Index i = 0; i < n / 2; ++i)
    std::swap_ranges(gram.begin() + i * n, gram.begin() + (i + 1) * n, gram.begin() + (n - 1 - i) * n);
  return sigma;
}

}  // namespace vitrine::core
