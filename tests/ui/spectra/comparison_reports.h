// A comparison of small matrices with turned directions, for the tests of the Spectra view.
#pragma once

#include <random>

#include "core/spectra/comparison_source.h"

namespace vitrine::tests {

// `side` x `side`, singular values 2^-i; the fine-tune's is turned away from it more the larger `turn` is.
inline core::MatrixResult turnedResult(const std::string& name, double turn, std::size_t side = 24,
                                       std::size_t cells = 256) {
  std::mt19937 random(unsigned(turn * 1e4));
  std::normal_distribution<double> normal;
  const auto n = Eigen::Index(side);
  const auto noise = [&] {
    return Eigen::MatrixXd::NullaryExpr(n, n, [&] { return normal(random); }).eval();
  };
  Eigen::MatrixXd base = Eigen::MatrixXd::Zero(n, n);
  for (Eigen::Index i = 0; i < n; ++i) base(i, i) = std::pow(0.8, double(i));
  auto comparison =
      core::compareMatrices(base, base + turn * noise(), core::ComparisonOptions{.map_cells = cells});
  comparison->name = name;
  return core::comparedResult(std::move(*comparison));
}

// `layers` layers with q_proj and up_proj; later layers are turned more.
inline std::shared_ptr<core::SpectraSnapshot> comparisonOf(std::uint32_t layers) {
  auto names = std::make_shared<std::vector<core::MatrixName>>();
  auto snapshot = std::make_shared<core::SpectraSnapshot>();
  for (std::uint32_t layer = 0; layer < layers; ++layer)
    for (const char* kind : {"q_proj", "up_proj"}) {
      names->push_back({fmt::format("layers.{}.{}.weight", layer, kind), "", 24, 24});
      snapshot->results.push_back(
          turnedResult(names->back().name, 0.01 * (1 + layer) * (*kind == 'q' ? 1 : 3)));
    }
  snapshot->matrices = std::move(names);
  snapshot->done = snapshot->total();
  snapshot->state = core::SpectraState::kDone;
  snapshot->left_out = {"extra.weight is in the base only"};
  return snapshot;
}

// Of `layers` layers with `heads` heads; `without` layers at the end have none.
inline std::shared_ptr<core::SpectraSnapshot> productsOf(std::uint32_t layers, std::uint32_t heads,
                                                         const std::string& kind = "qk",
                                                         std::uint32_t without = 0) {
  auto names = std::make_shared<std::vector<core::MatrixName>>();
  auto snapshot = std::make_shared<core::SpectraSnapshot>();
  const auto folded = std::make_shared<const std::vector<std::pair<std::string, std::string>>>(
      std::vector<std::pair<std::string, std::string>>{{"Input norm", "RMS norm: its gain"}});
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    if (layer + without >= layers) {
      snapshot->left_out.push_back(fmt::format("Layer {}: it norms queries or keys", layer));
      continue;
    }
    for (std::uint32_t head = 0; head < heads; ++head) {
      names->push_back({fmt::format("{}.{}.{}", kind, layer, head), "", 64, 64,
                        core::ProductOrigin{layer, head, head / 2, 16, folded}});
      core::SpectrumReport report{.name = names->back().name};
      for (std::size_t i = 0; i < 16; ++i)
        report.spectrum.sigma.push_back((1 + layer + 0.1 * head) * std::pow(0.7, double(i)));
      report.metrics = core::spectrumMetrics(report.spectrum.sigma, 0);
      snapshot->results.push_back({std::make_shared<const core::SpectrumReport>(report), nullptr});
    }
  }
  snapshot->matrices = std::move(names);
  snapshot->done = snapshot->total();
  snapshot->state = core::SpectraState::kDone;
  return snapshot;
}

}  // namespace vitrine::tests
