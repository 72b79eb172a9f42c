// The graph of all heads by composition (composition.h) as what SpectraWorker computes, a row a layer; what a
// row has found is in graph(), once all have.
#pragma once

#include "core/adapter/adapter_choice.h"
#include "core/spectra/component_channels.h"
#include "core/spectra/spectra_source.h"

namespace vitrine::core {

struct HeadGraph {
  struct Layer {
    std::uint32_t layer = 0, heads = 0;
    std::vector<std::pair<std::string, std::string>> folded_qk, folded_ov;  // foldedInto()
  };
  std::vector<Layer> layers;  // with attention, in order
  CompositionGraph graph;
};

class HeadGraphSource : public SpectraSource {
 public:
  HeadGraphSource(std::filesystem::path model, std::vector<AdapterChoice> adapters);

  // kInvalidArgument for more than 2048 heads.
  Result<SpectraRows> open() override;
  Result<void> compute(const std::stop_token& stop, const Settle& settle) override;

  // From any thread; null until compute() has ended well.
  std::shared_ptr<const HeadGraph> graph() const;
  // The components of an edge of graph(). From any thread.
  Result<ComponentChannel> channel(const CompositionEdge& edge) const;

 private:
  std::filesystem::path model_;
  std::vector<AdapterChoice> adapters_;
  std::vector<HeadGraph::Layer> layers_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const ModelSpec> spec_;
  std::shared_ptr<const HeadGraph> graph_;
};

}  // namespace vitrine::core
