#include "core/spectra/head_graph_source.h"

#include "core/adapter/attach_adapter.h"
#include "core/spectra/product_source.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kMostGraphHeads = 2'048;  // six million edges, 400 MB

}  // namespace

HeadGraphSource::HeadGraphSource(std::filesystem::path model, std::vector<AdapterChoice> adapters)
    : model_(std::move(model)), adapters_(std::move(adapters)) {}

Result<SpectraRows> HeadGraphSource::open() {
  TRY_ASSIGN(const auto checkpoint, Checkpoint::open(model_));
  TRY_ASSIGN(ModelSpec spec, readModelSpec(checkpoint));
  for (const AdapterChoice& adapter : adapters_) TRY(attachAdapter(spec, adapter));
  SpectraRows rows{.names = {}, .costs = {}, .solver = lapackSolverText(1)};
  for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
    const BlockSpec& block = spec.blocks[layer];
    const AttentionSpec* attention = block.attention();
    for (const ProductKind kind : {ProductKind::kQk, ProductKind::kOv}) {
      const std::string reason = attention ? reasonAgainst(*attention, kind) : "";
      if (!reason.empty())
        rows.left_out.push_back(
            fmt::format("Layer {}: no {}: {}", layer, kind == ProductKind::kQk ? "QK" : "OV", reason));
    }
    if (!attention) {
      rows.left_out.push_back(fmt::format("Layer {}: it has no attention", layer));
      continue;
    }
    layers_.push_back({layer, attention->heads, foldedInto(block, ProductKind::kQk, {}),
                       foldedInto(block, ProductKind::kOv, {})});
    rows.names.push_back({.name = fmt::format("layer.{}", layer), .dtype = ""});
    rows.costs.push_back(static_cast<double>(rows.names.size()));  // it meets all earlier ones
  }
  std::size_t heads = 0;
  for (const HeadGraph::Layer& layer : layers_) heads += layer.heads;
  if (heads > kMostGraphHeads)
    return fail(ErrorCode::kInvalidArgument, "{} heads in all: pairs are compared up to {} heads", heads,
                kMostGraphHeads);
  const std::lock_guard lock(mutex_);
  spec_ = std::make_shared<const ModelSpec>(std::move(spec));
  return rows;
}

Result<void> HeadGraphSource::compute(const std::stop_token& stop, const Settle& settle) {
  std::size_t row = 0;
  const auto progress = [&](std::size_t layer, std::size_t) {
    for (; row < layers_.size() && layers_[row].layer < layer; ++row) settle(row, {});
  };
  TRY_ASSIGN(CompositionGraph graph, compositionGraph(*spec_, {}, stop, progress));
  {
    const std::lock_guard lock(mutex_);
    graph_ = std::make_shared<const HeadGraph>(HeadGraph{.layers = layers_, .graph = std::move(graph)});
  }
  for (; row < layers_.size(); ++row) settle(row, {});
  return {};
}

std::shared_ptr<const HeadGraph> HeadGraphSource::graph() const {
  const std::lock_guard lock(mutex_);
  return graph_;
}

Result<ComponentChannel> HeadGraphSource::channel(const CompositionEdge& edge) const {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<const ModelSpec> spec = spec_;
  lock.unlock();
  if (!spec) return fail(ErrorCode::kInvalidArgument, "the model has not been opened");
  return channelOf(*spec, edge);
}

}  // namespace vitrine::core
