#include "core/spectra/composition.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/spectra/dense_product.h"
#include "core/spectra/parallel.h"

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

// Side by side, so that one product serves all pairs of heads of two layers.
MatrixXd stacked(const std::vector<CompositionEnd>& ends) {
  Eigen::Index columns = 0;
  for (const CompositionEnd& end : ends) columns += end.vectors.cols();
  MatrixXd all(ends.empty() ? 0 : ends[0].vectors.rows(), columns);
  Eigen::Index at = 0;
  for (const CompositionEnd& end : ends) {
    all.middleCols(at, end.vectors.cols()) = end.vectors;
    at += end.vectors.cols();
  }
  return all;
}

CompositionScore scoreOf(const CompositionEnd& reader, const CompositionEnd& writer, double norm) {
  if (reader.norm == 0 || writer.norm == 0) return {};
  CompositionScore score{.score = norm / (reader.norm * writer.norm)};
  const auto d = static_cast<double>(reader.vectors.rows());
  const auto spread = [d](const CompositionEnd& end) { return d * end.fourth / std::pow(end.norm, 4) - 1; };
  const double variance = 2 * spread(reader) * spread(writer) / (d * d * (d - 1) * (d + 2));
  if (variance > 0) score.z = (score.score * score.score - 1 / d) / std::sqrt(variance);
  return score;
}

void addEdges(const LayerEnds& from, const LayerEnds& to, CompositionThrough through,
              const std::vector<CompositionEnd>& readers, std::vector<CompositionEdge>& edges) {
  if (from.writers.empty() || readers.empty()) return;
  const MatrixXd meeting = multiply(stacked(readers), stacked(from.writers), Side::kTransposed, Side::kAsIs);
  Eigen::Index column = 0;
  for (std::uint32_t writer = 0; writer < from.writers.size(); ++writer) {
    const Eigen::Index columns = from.writers[writer].vectors.cols();
    Eigen::Index row = 0;
    for (std::uint32_t reader = 0; reader < readers.size(); ++reader) {
      const Eigen::Index rows = readers[reader].vectors.cols();
      const double norm = meeting.block(row, column, rows, columns).norm();
      edges.push_back({from.layer, writer, to.layer, reader, through,
                       scoreOf(readers[reader], from.writers[writer], norm)});
      row += rows;
    }
    column += columns;
  }
}

Result<CompositionEnd> endOf(const MatrixXd& meeting, const MatrixXd& other) {
  TRY_ASSIGN(const MatrixXd rest, triangularFactor(other));
  CompositionEnd end{.vectors = multiply(meeting, rest, Side::kAsIs, Side::kTransposed)};
  end.norm = end.vectors.norm();
  end.fourth = multiply(end.vectors, end.vectors, Side::kTransposed, Side::kAsIs).squaredNorm();
  return end;
}

}  // namespace

LowRankProduct transposed(LowRankProduct product) {
  return {product.right.transpose(), product.left.transpose()};
}

Result<CompositionEnd> readerOf(const LowRankProduct& product) {
  return endOf(product.right.transpose(), product.left);
}

Result<CompositionEnd> writerOf(const LowRankProduct& product) {
  return endOf(product.left, product.right.transpose());
}

CompositionScore compose(const CompositionEnd& reader, const CompositionEnd& writer) {
  return scoreOf(reader, writer,
                 multiply(reader.vectors, writer.vectors, Side::kTransposed, Side::kAsIs).norm());
}

Eigen::VectorXd composeComponents(const CompositionEnd& reader, const MatrixXd& u) {
  if (reader.norm == 0) return Eigen::VectorXd::Zero(u.cols());
  const MatrixXd read = multiply(reader.vectors, u, Side::kTransposed, Side::kAsIs);
  return read.colwise().norm().transpose() / reader.norm;
}

std::string_view name(CompositionThrough through) {
  constexpr std::string_view kNames[] = {"query", "key", "value"};
  return kNames[static_cast<int>(through)];
}

Result<EdgeComponents> componentsOf(const ModelSpec& spec, const CompositionEdge& edge,
                                    const ProductOptions& options) {
  TRY_ASSIGN(const LayerFactors from, LayerFactors::read(spec, edge.from_layer, options));
  TRY_ASSIGN(const LayerFactors to, LayerFactors::read(spec, edge.to_layer, options));
  TRY_ASSIGN(const LowRankProduct written, from.product(ProductKind::kOv, edge.from_head));
  TRY_ASSIGN(const FullSvd svd, productSvd(written));
  const bool value = edge.through == CompositionThrough::kValue;
  TRY_ASSIGN(LowRankProduct read, to.product(value ? ProductKind::kOv : ProductKind::kQk, edge.to_head));
  if (edge.through == CompositionThrough::kQuery) read = transposed(std::move(read));
  TRY_ASSIGN(const CompositionEnd reader, readerOf(read));
  return EdgeComponents{.sigma = svd.sigma, .score = composeComponents(reader, svd.u)};
}

Result<CompositionGraph> compositionGraph(const ModelSpec& spec, const ProductOptions& options,
                                          std::stop_token stop, const LayerProgress& progress) {
  CompositionGraph graph{.dimension = spec.embedding_dim, .edges = {}, .left_out = {}};
  std::vector<LayerEnds> earlier;
  for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
    const AttentionSpec* attention = spec.blocks[layer].attention();
    if (!attention) continue;
    if (progress) progress(layer, spec.blocks.size());
    for (const ProductKind kind : {ProductKind::kQk, ProductKind::kOv})
      if (const std::string reason = reasonAgainst(*attention, kind); !reason.empty())
        graph.left_out.push_back(fmt::format("layer {}: no {}: {}", layer, name(kind), reason));
    TRY_ASSIGN(const LayerFactors factors, LayerFactors::read(spec, layer, options));
    TRY_ASSIGN(LayerEnds here, endsOf(factors, *attention, layer));
    std::vector<std::vector<CompositionEdge>> found(earlier.size());
    TRY(runParallel(earlier.size(), 0, stop, [&](std::size_t i) {
      addEdges(earlier[i], here, CompositionThrough::kQuery, here.queries, found[i]);
      addEdges(earlier[i], here, CompositionThrough::kKey, here.keys, found[i]);
      addEdges(earlier[i], here, CompositionThrough::kValue, here.values, found[i]);
    }));
    for (const auto& edges : found) graph.edges.insert(graph.edges.end(), edges.begin(), edges.end());
    earlier.push_back(std::move(here));
  }
  std::ranges::stable_sort(graph.edges, std::greater<>(), [](const CompositionEdge& e) { return e.score.z; });
  for (std::size_t i = 0; i < std::min(kDetailedEdges, graph.edges.size()); ++i) {
    TRY_ASSIGN(const EdgeComponents of, componentsOf(spec, graph.edges[i], options));
    graph.edges[i].components.assign(of.score.begin(), of.score.end());
  }
  return graph;
}

nlohmann::ordered_json toJson(const CompositionGraph& graph) {
  nlohmann::ordered_json out{{"dimension", graph.dimension},
                             {"expected", 1 / std::sqrt(static_cast<double>(graph.dimension))}};
  out["edges"] = nlohmann::ordered_json::array();
  for (const CompositionEdge& edge : graph.edges) {
    nlohmann::ordered_json one{{"from", {edge.from_layer, edge.from_head}},
                               {"to", {edge.to_layer, edge.to_head}},
                               {"through", name(edge.through)},
                               {"score", edge.score.score},
                               {"z", edge.score.z}};
    if (!edge.components.empty()) one["components"] = edge.components;
    out["edges"].push_back(std::move(one));
  }
  out["left_out"] = graph.left_out;
  return out;
}

}  // namespace vitrine::core
