#include "core/spectra/spectrum_preview.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/spectra/dense_product.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

// A stored matrix by panels of its rows: in double precision it would need twice its memory again.
class PanelOperator {
 public:
  PanelOperator(const DenseMatrix& matrix, std::stop_token stop) : matrix_(matrix), stop_(std::move(stop)) {}

  LinearOperator linear() const {
    return {.rows = rows(),
            .columns = columns(),
            .times = [this](const MatrixXd& x) { return times(x); },
            .transposed_times = [this](const MatrixXd& y) { return transposedTimes(y); }};
  }

 private:
  static constexpr Index kPanelElements = 1 << 19;  // 4 MB

  Index rows() const { return static_cast<Index>(matrix_.rows); }
  Index columns() const { return static_cast<Index>(matrix_.columns); }

  // use(panel (columns, count), first) for all rows; rows lie as columns of a panel.
  Result<void> forPanels(const std::function<void(const MatrixXd& panel, Index first)>& use) const {
    const Index most = std::max<Index>(1, kPanelElements / std::max<Index>(1, columns()));
    for (Index first = 0; first < rows(); first += most) {
      if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "the preview was cancelled");
      const Index count = std::min(most, rows() - first);
      use(Eigen::Map<const Eigen::MatrixXf>(matrix_.values.data() + first * columns(), columns(), count)
              .cast<double>(),
          first);
    }
    return {};
  }

  Result<MatrixXd> times(const MatrixXd& x) const {
    MatrixXd out(rows(), x.cols());
    TRY(forPanels([&](const MatrixXd& panel, Index first) {
      out.middleRows(first, panel.cols()) = multiply(panel, x, Side::kTransposed);
    }));
    return out;
  }

  Result<MatrixXd> transposedTimes(const MatrixXd& y) const {
    MatrixXd out = MatrixXd::Zero(columns(), y.cols());
    TRY(forPanels([&](const MatrixXd& panel, Index first) {
      out += multiply(panel, y.middleRows(first, panel.cols()));
    }));
    return out;
  }

  const DenseMatrix& matrix_;
  std::stop_token stop_;
};

}  // namespace

double SpectrumPreview::stableRank() const {
  if (sigma.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double ratio = frobenius / sigma.front();
  return ratio * ratio;
}

double PreviewOptions::cost(std::uint64_t rows, std::uint64_t columns) const {
  constexpr double kThin = 2.5;  // products with few columns run at less than half the Gram matrix's speed
  const auto width = static_cast<double>(top.k + top.oversampling);
  const double products = 1 + 2 * static_cast<double>(top.most_blocks);
  return static_cast<double>(rows) * static_cast<double>(columns) * width * products * kThin;
}

Result<SpectrumPreview> previewOf(const DenseMatrix& matrix, const TopKOptions& options,
                                  const std::stop_token& stop) {
  TRY(requireFinite(matrix));
  const PanelOperator panels(matrix, stop);
  TRY_ASSIGN(const TopK top, topSingular(panels.linear(), options, stop));
  return SpectrumPreview{.rows = matrix.rows,
                         .columns = matrix.columns,
                         .sigma = {top.svd.sigma.begin(), top.svd.sigma.end()},
                         .residuals = {top.residuals.begin(), top.residuals.end()},
                         .frobenius = std::sqrt(sumOfSquares(matrix.values))};
}

}  // namespace vitrine::core
