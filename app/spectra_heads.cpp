#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/spectra_options.h"

namespace vitrine::app {

std::vector<core::SpectrumReport> SpectraOfHeads::reports() const {
  std::vector<core::SpectrumReport> all;
  for (const core::HeadProduct& product : products.products) all.push_back(core::reportOf(product));
  return all;
}

namespace {

core::LayerProgress progressOf(std::string_view what) {
  return [what](std::size_t layer, std::size_t layers) {
    showProgress(fmt::format("{}: layer {} of {}", what, layer + 1, layers));
  };
}

}  // namespace

Result<SpectraOfHeads> computeHeads(const Common& common, const SpectraOptions& options) {
  SpectraOfHeads heads;
  TRY_ASSIGN(const auto kinds, core::parseProductKinds(options.products));
  if (kinds.empty() && !options.composition) return heads;
  TRY_ASSIGN(OpenedModel opened, openModel(common, options.model, NeedsTokenizer::kNo));
  heads.spec = std::make_shared<core::ModelSpec>(std::move(opened.spec));
  if (!kinds.empty()) {
    TRY_ASSIGN(heads.products, core::headProducts(*heads.spec, kinds, options.productOptions(),
                                                  stopAtInterrupt(), progressOf("products of heads")));
  }
  if (options.composition) {
    TRY_ASSIGN(heads.composition,
               core::compositionGraph(*heads.spec, options.productOptions(), stopAtInterrupt(),
                                      progressOf("composition of heads")));
  }
  endProgress();
  return heads;
}

void addToJson(const SpectraOfHeads& heads, const SpectraOptions& options, nlohmann::ordered_json& out) {
  if (!heads.spec) return;
  if (!options.products.empty()) {
    out["products"] = nlohmann::ordered_json::array();
    for (const core::HeadProduct& product : heads.products.products)
      out["products"].push_back(core::toJson(product, *heads.spec, options.productOptions()));
    out["products_left_out"] = heads.products.left_out;
  }
  if (heads.composition) out["composition"] = core::toJson(*heads.composition);
}

void printHeads(const SpectraOfHeads& heads) {
  const std::vector<core::SpectrumReport> reports = heads.reports();
  if (!reports.empty())
    fmt::print("{:<10} {:>14} {:>10} {:>10} {:>10} {:>10} {:>10} {:>12} {:>9}\n", "product", "shape", "s1",
               "nuclear", "stable rk", "eff. rank", "partic.", "condition", "residual");
  for (const core::SpectrumReport& report : reports) {
    const core::SpectrumMetrics& m = report.metrics;
    fmt::print("{:<10} {:>14} {:>10.4g} {:>10.4g} {:>10.2f} {:>10.1f} {:>10.1f} {:>12.3g} {:>9.1e}\n",
               report.name, fmt::format("{} x {}", report.spectrum.rows, report.spectrum.columns), m.s1,
               m.nuclear, m.stable_rank, m.effective_rank, m.participation, m.condition,
               report.spectrum.certificate.energy);
  }
  for (const std::string& reason : heads.products.left_out) fmt::print("{}\n", reason);
  if (!heads.composition) return;
  const core::CompositionGraph& graph = *heads.composition;
  const std::size_t shown = std::min(core::kDetailedEdges, graph.edges.size());
  fmt::print("{:>10} {:>10}  {:<8} {:>8} {:>8} {:>20}   (by chance {:.3f})\n", "from", "to", "through",
             "score", "z", "largest component", 1 / std::sqrt(static_cast<double>(graph.dimension)));
  for (std::size_t i = 0; i < shown; ++i) {
    const core::CompositionEdge& edge = graph.edges[i];
    const auto largest = std::ranges::max_element(edge.components);
    fmt::print("{:>10} {:>10}  {:<8} {:>8.3f} {:>8.1f} {:>20}\n",
               fmt::format("{}.{}", edge.from_layer, edge.from_head),
               fmt::format("{}.{}", edge.to_layer, edge.to_head), core::name(edge.through), edge.score.score,
               edge.score.z, fmt::format("{}: {:.3f}", largest - edge.components.begin(), *largest));
  }
  fmt::print("the strongest {} of {} compositions; --json has all\n", shown, graph.edges.size());
}

}  // namespace vitrine::app
