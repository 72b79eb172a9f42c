#include "core/figure/head_graph_figures.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace vitrine::core {
namespace {

constexpr CompositionThrough kWays[] = {CompositionThrough::kQuery, CompositionThrough::kKey,
                                        CompositionThrough::kValue};
constexpr std::size_t kMostBars = 32;
constexpr std::size_t kMostChannels = 6;

// Heads of all layers in one row: (layer, head) at an index.
struct GraphHeads {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> at;
  std::vector<std::string> labels;
};
GraphHeads graphHeads(const CompositionGraph& graph) {
  GraphHeads index;
  for (const CompositionEdge& edge : graph.edges) {
    index.at.emplace(std::pair(edge.from_layer, edge.from_head), 0);
    index.at.emplace(std::pair(edge.to_layer, edge.to_head), 0);
  }
  for (auto& [head, at] : index.at) {
    at = index.labels.size();
    index.labels.push_back(fmt::format("{}.{}", head.first, head.second));
  }
  return index;
}

}  // namespace

Figure headMapFigure(const CompositionGraph& graph, const std::string& model) {
  const GraphHeads index = graphHeads(graph);
  const std::size_t side = index.labels.size();
  double largest = 1;
  for (const CompositionEdge& edge : graph.edges) largest = std::max(largest, std::abs(edge.score.z));
  Figure figure{.name = "talking-heads-map",
                .caption = fmt::format(
                    "Composition of heads of {}: the earlier head (layer.head, down) writes, the later one "
                    "(right) reads through its query, key or value; in standard deviations of score^2 from "
                    "that of randomly rotated products, compressed as sign(z) log10(1 + |z|).",
                    model),
                .panels = {}};
  for (const CompositionThrough through : kWays) {
    HeatMap map{.rows = side,
                .columns = side,
                .values = std::vector<float>(side * side),
                .mask = {},
                .color = {},
                .top = {},
                .right = {}};
    map.mask.assign(side * side, 1);
    map.color.map = ColormapId::kDiverging;
    map.color.maximum = std::log10(1 + largest);
    map.color.minimum = -*map.color.maximum;
    map.color.quantity = "sign(z) log₁₀(1 + |z|)";
    bool any = false;
    for (const CompositionEdge& edge : graph.edges) {
      if (edge.through != through) continue;
      any = true;
      const std::size_t cell =
          index.at.at({edge.from_layer, edge.from_head}) * side + index.at.at({edge.to_layer, edge.to_head});
      map.values[cell] =
          static_cast<float>(std::copysign(std::log10(1 + std::abs(edge.score.z)), edge.score.z));
      map.mask[cell] = 0;
    }
    if (!any) continue;
    Panel panel;
    panel.title = fmt::format("through the {}", name(through));
    panel.x = {.label = "later head", .categories = index.labels, .category_font = FontRole::kSans};
    panel.y = {.label = "earlier head", .categories = index.labels, .category_font = FontRole::kSans};
    panel.heat_map = std::move(map);
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Figure headChannelFigure(std::uint32_t dimension, std::span<const HeadChannel> channels,
                         const std::string& model) {
  Figure figure{.name = "talking-heads-channels",
                .caption = fmt::format(
                    "The strongest channels between heads of {} by component s_i u_i v_i^T of the earlier "
                    "head's OV: the component's own composition score, and the edge's score with that "
                    "component zeroed. Lines: the edge's score, and 1 / sqrt d of random directions.",
                    model),
                .panels = {}};
  for (std::size_t c = 0; c < std::min<std::size_t>(channels.size(), kMostChannels); ++c) {
    const auto& [edge, parts] = channels[c];
    Panel panel;
    panel.title = edgeName(edge);
    panel.x = {.label = "component i", .categories = {}, .category_font = FontRole::kSans};
    panel.y = {.label = "score", .minimum = 0};
    BarSeries own{.label = "component alone", .values = {}},
        without{.label = "edge without it", .values = {}};
    for (Eigen::Index i = 0; i < std::min<Eigen::Index>(parts.score.size(), kMostBars); ++i) {
      panel.x.categories.push_back(std::to_string(i));
      own.values.push_back(parts.score[i]);
      without.values.push_back(parts.without[i]);
    }
    panel.bars = {std::move(own), std::move(without)};
    panel.annotations = {
        {.kind = AnnotationKind::kHorizontalLine, .at = {0, edge.score.score}, .text = "edge"},
        {.kind = AnnotationKind::kHorizontalLine,
         .at = {0, 1 / std::sqrt(static_cast<double>(dimension))},
         .text = "random"}};
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

std::string edgeName(const CompositionEdge& edge) {
  return fmt::format("{}.{} to {}.{} ({})", edge.from_layer, edge.from_head, edge.to_layer, edge.to_head,
                     name(edge.through));
}

}  // namespace vitrine::core
