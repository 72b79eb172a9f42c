#include "core/spectra/comparison_source.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/spectra/device_spectra.h"
#include "core/spectra/device_svd.h"
#include "core/spectra/fine_tunes.h"

namespace vitrine::core {
namespace {

constexpr double kMapBytes = 400e6;

// Of a full decomposition with its vectors.
double costOf(const MatrixPair& pair) {
  const double side = static_cast<double>(std::min(pair.rows, pair.columns));
  return static_cast<double>(pair.rows) * static_cast<double>(pair.columns) * side;
}

SpectrumReport reportOfSigma(const MatrixComparison& from, const Eigen::VectorXd& sigma, double frobenius) {
  Spectrum spectrum{.rows = from.rows, .columns = from.columns, .sigma = {sigma.begin(), sigma.end()}};
  spectrum.frobenius = frobenius;
  const double largest = spectrum.sigma.empty() ? 0 : spectrum.sigma.front();
  spectrum.floor = static_cast<double>(std::max(from.rows, from.columns)) *
                   std::numeric_limits<double>::epsilon() * largest;
  SpectrumReport report{.name = from.name, .dtype = {}, .spectrum = std::move(spectrum)};
  report.metrics = spectrumMetrics(report.spectrum.sigma, report.spectrum.floor);
  return report;
}

class ComparisonSource : public SpectraSource {
 public:
  explicit ComparisonSource(ComparisonRequest request) : request_(std::move(request)) {}

  Result<SpectraRows> open() override {
    TRY_ASSIGN(FineTunePairs tune, request_.adapters.empty() ? openFineTune(request_.base, request_.tuned)
                                                             : openAdapted(request_.base, request_.adapters));
    pairs_ = std::move(tune.matrices.pairs);
    SpectraRows rows{.names = {},
                     .costs = {},
                     .left_out = std::move(tune.matrices.left_out),
                     .solver = lapackSolverText(request_.threads)};
    for (const MatrixPair& pair : pairs_) {
      rows.names.push_back({pair.name, "", pair.rows, pair.columns});
      rows.costs.push_back(costOf(pair));
    }
    chooseMapCells();
    if (request_.device && DeviceSvd::isFaster(*request_.device)) {
      TRY_ASSIGN(device_svd_, DeviceSvd::create(*request_.device));
      rows.solver = request_.device->info().name;
    }
    return rows;
  }

  Result<void> compute(const std::stop_token& stop, const Settle& settle) override {
    std::vector<std::size_t> order(pairs_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return costOf(pairs_[i]); });
    request_.options.stop = stop;
    if (device_svd_)
      request_.options.svd = [&](const Eigen::MatrixXd& matrix) {
        return device_svd_->decompose(matrix, stop);
      };
    return forRows(order, request_.threads, stop, [&](std::size_t i) {
      auto compared = comparePair(pairs_[i], request_.options);
      if (compared)
        settle(i, comparedResult(std::move(*compared)));
      else if (compared.error().code != ErrorCode::kCancelled)
        settle(i, {nullptr, std::make_shared<const std::string>(compared.error().describe())});
    });
  }

 private:
  void chooseMapCells() {
    double bytes = 0;
    std::size_t largest = 0;
    for (const MatrixPair& pair : pairs_) {
      const std::size_t side = std::min(pair.rows, pair.columns);
      bytes += static_cast<double>(side) * static_cast<double>(side) * sizeof(float);
      largest = std::max(largest, side);
    }
    if (bytes <= kMapBytes) request_.options.map_cells = largest;
  }

  ComparisonRequest request_;
  std::vector<MatrixPair> pairs_;
  std::unique_ptr<DeviceSvd> device_svd_;  // null: LAPACK
};

}  // namespace

MatrixResult comparedResult(MatrixComparison comparison) {
  const double tuned_norm = comparison.tuned_sigma.norm();
  auto report =
      std::make_shared<const SpectrumReport>(reportOfSigma(comparison, comparison.tuned_sigma, tuned_norm));
  SpectrumReport base = reportOfSigma(comparison, comparison.base_sigma, comparison.base_norm);
  auto compared = std::make_shared<const ComparedMatrix>(
      ComparedMatrix{.comparison = std::move(comparison), .base = std::move(base)});
  return {std::move(report), nullptr, std::move(compared)};
}

std::shared_ptr<SpectraSource> comparisonSource(ComparisonRequest request) {
  return std::make_shared<ComparisonSource>(std::move(request));
}

}  // namespace vitrine::core
