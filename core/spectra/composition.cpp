#include "core/spectra/composition.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/spectra/dense_product.h"

namespace vitrine::core {
namespace {

using Eigen::MatrixXd;

// The ends of all heads of a layer; a kind that the layer does not have is empty.
struct LayerEnds {
  std::uint32_t layer = 0;
  std::vector<CompositionEnd> writers, queries, keys, values;  // a head each
};

Result<LayerEnds> endsOf(const LayerFactors& factors, const AttentionSpec& attention, std::uint32_t layer) {
  LayerEnds ends{.layer = layer, .writers = {}, .queries = {}, .keys = {}, .values = {}};
  for (std::uint32_t head = 0; head < attention.heads; ++head) {
    if (reasonAgainst(attention, ProductKind::kOv).empty()) {
      TRY_ASSIGN(const LowRankProduct ov, factors.product(ProductKind::kOv, head));
      TRY_ASSIGN(CompositionEnd writer, writerOf(ov));
      TRY_ASSIGN(CompositionEnd value, readerOf(ov));
      ends.writers.push_back(std::move(writer));
      ends.values.push_back(std::move(value));
    }
    if (reasonAgainst(attention, ProductKind::kQk).empty()) {
      TRY_ASSIGN(const LowRankProduct qk, factors.product(ProductKind::kQk, head));
      TRY_ASSIGN(CompositionEnd key, readerOf(qk));
      TRY_ASSIGN(CompositionEnd query, readerOf(transposed(qk)));
      ends.keys.push_back(std::move(key));
      ends.queries.push_back(std::move(query));
    }
  }
  return ends;
}

void addEdges(const LayerEnds& from, const LayerEnds& to, CompositionThrough through,
              const std::vector<CompositionEnd>& readers, std::vector<CompositionEdge>& edges) {
  for (std::uint32_t writer = 0; writer < from.writers.size(); ++writer)
    for (std::uint32_t reader = 0; reader < readers.size(); ++reader)
      edges.push_back(
          {from.layer, writer, to.layer, reader, through, compose(readers[reader], from.writers[writer])});
}

Result<CompositionEnd> endOf(const MatrixXd& meeting, const MatrixXd& other, const LowRankProduct& product) {
  TRY_ASSIGN(const Spectrum spectrum, productSpectrum(product));
  TRY_ASSIGN(MatrixXd rest, triangularFactor(other));
  double fourth = 0;
  for (const double s : spectrum.sigma) fourth += s * s * s * s;
  return CompositionEnd{meeting, std::move(rest), spectrum.frobenius, fourth};
}

}  // namespace

LowRankProduct transposed(LowRankProduct product) {
  return {product.right.transpose(), product.left.transpose()};
}

Result<CompositionEnd> readerOf(const LowRankProduct& product) {
  return endOf(product.right.transpose(), product.left, product);
}

Result<CompositionEnd> writerOf(const LowRankProduct& product) {
  return endOf(product.left, product.right.transpose(), product);
}

CompositionScore compose(const CompositionEnd& reader, const CompositionEnd& writer) {
  if (reader.norm == 0 || writer.norm == 0) return {};
  const MatrixXd meeting = multiply(reader.meeting, writer.meeting, Side::kTransposed, Side::kAsIs);
  const MatrixXd core = multiply(multiply(reader.rest, meeting), writer.rest, Side::kAsIs, Side::kTransposed);
  CompositionScore score{.score = core.norm() / (reader.norm * writer.norm)};
  const auto d = static_cast<double>(reader.meeting.rows());
  const auto spread = [d](const CompositionEnd& end) { return d * end.fourth / std::pow(end.norm, 4) - 1; };
  const double variance = 2 * spread(reader) * spread(writer) / (d * d * (d - 1) * (d + 2));
  if (variance > 0) score.z = (score.score * score.score - 1 / d) / std::sqrt(variance);
  return score;
}

Eigen::VectorXd composeComponents(const CompositionEnd& reader, const MatrixXd& u) {
  if (reader.norm == 0) return Eigen::VectorXd::Zero(u.cols());
  const MatrixXd read = multiply(reader.rest, multiply(reader.meeting, u, Side::kTransposed, Side::kAsIs));
  return read.colwise().norm().transpose() / reader.norm;
}

std::string_view name(CompositionThrough through) {
  constexpr std::string_view kNames[] = {"query", "key", "value"};
  return kNames[static_cast<int>(through)];
}

Result<CompositionGraph> compositionGraph(const ModelSpec& spec, const ProductOptions& options,
                                          std::stop_token stop) {
  CompositionGraph graph{.dimension = spec.embedding_dim, .edges = {}, .left_out = {}};
  std::vector<LayerEnds> earlier;
  for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
    const AttentionSpec* attention = spec.blocks[layer].attention();
    if (!attention) continue;
    for (const ProductKind kind : {ProductKind::kQk, ProductKind::kOv})
      if (const std::string reason = reasonAgainst(*attention, kind); !reason.empty())
        graph.left_out.push_back(fmt::format("layer {}: no {}: {}", layer, name(kind), reason));
    TRY_ASSIGN(const LayerFactors factors, LayerFactors::read(spec, layer, options));
    TRY_ASSIGN(LayerEnds here, endsOf(factors, *attention, layer));
    for (const LayerEnds& from : earlier) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the composition scores were cancelled");
      addEdges(from, here, CompositionThrough::kQuery, here.queries, graph.edges);
      addEdges(from, here, CompositionThrough::kKey, here.keys, graph.edges);
      addEdges(from, here, CompositionThrough::kValue, here.values, graph.edges);
    }
    earlier.push_back(std::move(here));
  }
  std::ranges::stable_sort(graph.edges, std::greater<>(), [](const CompositionEdge& e) { return e.score.z; });
  return graph;
}

nlohmann::ordered_json toJson(const CompositionGraph& graph) {
  nlohmann::ordered_json out{{"dimension", graph.dimension},
                             {"expected", 1 / std::sqrt(static_cast<double>(graph.dimension))}};
  out["edges"] = nlohmann::ordered_json::array();
  for (const CompositionEdge& edge : graph.edges)
    out["edges"].push_back({{"from", {edge.from_layer, edge.from_head}},
                            {"to", {edge.to_layer, edge.to_head}},
                            {"through", name(edge.through)},
                            {"score", edge.score.score},
                            {"z", edge.score.z}});
  out["left_out"] = graph.left_out;
  return out;
}

}  // namespace vitrine::core
