// vitrine spectra MODEL --top K: the largest singular values with their vectors' residuals.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/spectra_options.h"
#include "core/assets/asset_paths.h"
#include "core/engine/clock.h"
#include "core/spectra/device_operator.h"
#include "core/spectra/matrix_catalogue.h"

namespace vitrine::app {
namespace {

struct MatrixTop {
  std::string name;
  Eigen::Index rows = 0, columns = 0;
  double frobenius = 0, seconds = 0;
  core::TopK top;

  double residual() const { return top.residuals.size() > 0 ? top.residuals.maxCoeff() : 0; }
};

// On `device` unless that is null.
Result<MatrixTop> topOf(const core::StoredMatrix& stored, gpu::Device* device,
                        const core::TopKOptions& options) {
  TRY_ASSIGN(const core::DenseMatrix dense, core::readMatrix(stored));
  const Eigen::MatrixXd matrix = core::toDouble(dense);
  MatrixTop found{
      .name = stored.name, .rows = matrix.rows(), .columns = matrix.cols(), .frobenius = matrix.norm()};
  const auto start = core::Clock::now();
  if (device) {
    TRY_ASSIGN(const auto on_device, core::DeviceOperator::create(*device, matrix));
    TRY_ASSIGN(found.top, core::topSingular(on_device->linear(), options, stopAtInterrupt()));
  } else {
    TRY_ASSIGN(found.top, core::topSingular(core::operatorOf(matrix), options, stopAtInterrupt()));
  }
  found.seconds = core::secondsSince(start);
  return found;
}

void printTopTable(const std::vector<MatrixTop>& all) {
  std::size_t width = 6;
  for (const MatrixTop& matrix : all) width = std::max(width, matrix.name.size());
  fmt::print("{:<{}} {:>15} {:>8} {:>10} {:>7} {:>9}  largest singular values\n", "tensor", width, "shape",
             "values", "residual", "blocks", "seconds");
  for (const MatrixTop& matrix : all) {
    constexpr Eigen::Index kShown = 6;
    std::string values;
    for (Eigen::Index i = 0; i < std::min(kShown, matrix.top.svd.sigma.size()); ++i)
      values += fmt::format(" {:.5g}", matrix.top.svd.sigma[i]);
    fmt::print("{:<{}} {:>15} {:>8} {:>10.1e} {:>7} {:>9.3f} {}{}\n", matrix.name, width,
               fmt::format("{} x {}", matrix.rows, matrix.columns), matrix.top.svd.sigma.size(),
               matrix.residual(), matrix.top.blocks, matrix.seconds, values,
               matrix.top.converged ? "" : "  (not converged)");
  }
  fmt::print("each value is off by its residual at most, and never too large\n");
}

void printTopJson(const SpectraOptions& options, const std::vector<MatrixTop>& all) {
  nlohmann::ordered_json out{{"model", options.model}, {"top", options.top}};
  out["tensors"] = nlohmann::ordered_json::array();
  for (const MatrixTop& matrix : all) {
    const auto list = [](const Eigen::VectorXd& values) {
      return std::vector<double>(values.begin(), values.end());
    };
    out["tensors"].push_back({{"name", matrix.name},
                              {"shape", {matrix.rows, matrix.columns}},
                              {"sigma", list(matrix.top.svd.sigma)},
                              {"residuals", list(matrix.top.residuals)},
                              {"frobenius", matrix.frobenius},
                              {"blocks", matrix.top.blocks},
                              {"converged", matrix.top.converged},
                              {"seconds", matrix.seconds}});
  }
  fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

Result<void> findTop(const Common& common, const SpectraOptions& options) {
  TRY_ASSIGN(const auto checkpoint, core::Checkpoint::open(core::modelPath(options.model)));
  TRY_ASSIGN(const auto matrices, chosenMatrices(*checkpoint, options));
  TRY_ASSIGN(const auto device, doublesDevice(common, options.solver));
  const core::TopKOptions what{.k = options.top, .tolerance = options.tolerance};
  std::vector<MatrixTop> all;
  for (const core::StoredMatrix& matrix : matrices) {
    showProgress(fmt::format("matrix {} of {}: {}", all.size() + 1, matrices.size(), matrix.name));
    auto found = topOf(matrix, device.get(), what);
    if (!found) return within(matrix.name, std::move(found).error());
    all.push_back(std::move(*found));
  }
  endProgress();
  options.json ? printTopJson(options, all) : printTopTable(all);
  return {};
}

}  // namespace vitrine::app
