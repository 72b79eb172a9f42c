// Talking heads: low-rank channels from earlier heads to later ones, and what zeroing a component of one
// does.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/methods/analysis.h"
#include "core/methods/support/tune_panels.h"
#include "core/spectra/component_channels.h"
#include "core/spectra/composition.h"

namespace vitrine::core::methods::talking_heads {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "edges",
     .fallback = 10,
     .least = 1,
     .most = 20,
     .unit = "",
     .help = "strongest pairs of heads that are looked at by component"},
    {.name = "components",
     .fallback = 8,
     .least = 1,
     .most = 64,
     .unit = "",
     .help = "strongest components of each head that are searched for channels"},
};

constexpr CompositionThrough kThrough[] = {CompositionThrough::kQuery, CompositionThrough::kKey,
                                           CompositionThrough::kValue};
constexpr std::size_t kMostComponents = 32;  // of a bar chart
constexpr std::size_t kBins = 40;
constexpr std::size_t kListedComponents = 20;
constexpr std::size_t kMostHeads = 2'048;  // of six million pairs

std::string nameOf(const CompositionEdge& edge) {
  return fmt::format("{}.{} to {}.{} ({})", edge.from_layer, edge.from_head, edge.to_layer, edge.to_head,
                     name(edge.through));
}

struct Channel {
  CompositionEdge edge;
  ComponentChannel parts;
};

// Those of one way of composition.
std::vector<double> scoresOf(const CompositionGraph& graph, CompositionThrough through, bool z) {
  std::vector<double> scores;
  for (const CompositionEdge& edge : graph.edges)
    if (edge.through == through) scores.push_back(z ? edge.score.z : edge.score.score);
  return scores;
}

Table kindTable(const CompositionGraph& graph) {
  Table table{.title = "Composition scores by way of reading",
              .columns = {{"through", "", ""},
                          {"pairs of heads", "", ""},
                          {"mean score", "", "||C1 C2||_F / (||C1||_F ||C2||_F)"},
                          {"random", "",
                           "root of the mean of score^2 over all rotations between the two: 1 / sqrt d"},
                          {"highest", "", ""},
                          {"z > 3", "",
                           "share of pairs more than three deviations of score^2 above that of rotations"},
                          {"z < -3", "", "share as far below: heads that avoid each other"}},
              .rows = {}};
  for (const CompositionThrough through : kThrough) {
    const std::vector<double> scores = scoresOf(graph, through, false), zs = scoresOf(graph, through, true);
    if (scores.empty()) continue;
    const auto share = [&](const auto& test) {
      return static_cast<double>(std::ranges::count_if(zs, test)) / static_cast<double>(zs.size());
    };
    table.rows.push_back({std::string(name(through)), static_cast<std::int64_t>(scores.size()),
                          meanOf(scores), 1 / std::sqrt(static_cast<double>(graph.dimension)),
                          std::ranges::max(scores), share([](double z) { return z > 3; }),
                          share([](double z) { return z < -3; })});
  }
  return table;
}

Table channelTable(const std::vector<Channel>& channels) {
  Table table{
      .title = "The strongest channels, by component of the earlier head",
      .columns = {{"from", "", "layer.head"},
                  {"to", "", "layer.head"},
                  {"through", "", ""},
                  {"score", "", ""},
                  {"z", "", "deviations of score^2 above that of random rotations"},
                  {"component", "", "s_i u_i v_i^T of OV_1 that carries most of it, counted from 0 by s"},
                  {"its score", "", "||C_2 u_i|| / ||C_2||_F"},
                  {"carries", "", "its share of score^2"},
                  {"its energy", "", "its share of ||OV_1||_F^2"},
                  {"score without it", "", "of the edge, component i of OV_1 zeroed"},
                  {"effective", "",
                   "exp of the entropy of the components' shares: how many carry the channel"}},
      .rows = {}};
  for (const auto& [edge, parts] : channels) {
    const Eigen::Index i = parts.strongest();
    table.rows.push_back({fmt::format("{}.{}", edge.from_layer, edge.from_head),
                          fmt::format("{}.{}", edge.to_layer, edge.to_head), std::string(name(edge.through)),
                          edge.score.score, edge.score.z, static_cast<std::int64_t>(i), parts.score[i],
                          parts.share[i], parts.energy[i], parts.without[i], parts.effective});
  }
  return table;
}

Table componentTable(const CompositionGraph& graph, const ComponentSearch& search) {
  Table table{.title = "The strongest components, of all pairs of heads",
              .columns = {{"from", "", "layer.head"},
                          {"component", "", "s_i u_i v_i^T of OV_1, counted from 0 by s"},
                          {"its energy", "", "its share of ||OV_1||_F^2"},
                          {"to", "", "layer.head"},
                          {"through", "", ""},
                          {"its score", "", "||C_2 u_i|| / ||C_2||_F"},
                          {"z", "", "deviations of its square above that of random directions"},
                          {"edge's score", "", "of all components together"}},
              .rows = {}};
  for (const ComponentScore& c : search.strongest) {
    const auto edge = std::ranges::find_if(graph.edges, [&](const CompositionEdge& e) {
      return e.from_layer == c.from_layer && e.from_head == c.from_head && e.to_layer == c.to_layer &&
             e.to_head == c.to_head && e.through == c.through;
    });
    table.rows.push_back({fmt::format("{}.{}", c.from_layer, c.from_head),
                          static_cast<std::int64_t>(c.component), c.energy,
                          fmt::format("{}.{}", c.to_layer, c.to_head), std::string(name(c.through)), c.score,
                          c.z, edge == graph.edges.end() ? std::nan("") : edge->score.score});
  }
  return table;
}

// Heads of all layers in one row: (layer, head) at an index.
struct HeadIndex {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> at;
  std::vector<std::string> labels;
};
HeadIndex indexOf(const CompositionGraph& graph) {
  HeadIndex index;
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

Figure mapFigure(const AnalysisInput& input, const CompositionGraph& graph) {
  const HeadIndex index = indexOf(graph);
  const std::size_t side = index.labels.size();
  double largest = 1;
  for (const CompositionEdge& edge : graph.edges) largest = std::max(largest, std::abs(edge.score.z));
  Figure figure{.name = "talking-heads-map",
                .caption = fmt::format(
                    "Composition of heads of {}: the earlier head (layer.head, down) writes, the later one "
                    "(right) reads through its query, key or value; in standard deviations of score^2 from "
                    "that of randomly rotated products, compressed as sign(z) log10(1 + |z|).",
                    input.model),
                .panels = {}};
  for (const CompositionThrough through : kThrough) {
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

Figure channelFigure(const AnalysisInput& input, const CompositionGraph& graph,
                     const std::vector<Channel>& channels) {
  Figure figure{.name = "talking-heads-channels",
                .caption = fmt::format(
                    "The strongest channels between heads of {} by component s_i u_i v_i^T of the earlier "
                    "head's OV: the component's own composition score, and the edge's score with that "
                    "component zeroed. Lines: the edge's score, and 1 / sqrt d of random directions.",
                    input.model),
                .panels = {}};
  for (std::size_t c = 0; c < std::min<std::size_t>(channels.size(), 6); ++c) {
    const auto& [edge, parts] = channels[c];
    Panel panel;
    panel.title = nameOf(edge);
    panel.x = {.label = "component i", .categories = {}, .category_font = FontRole::kSans};
    panel.y = {.label = "score", .minimum = 0};
    BarSeries own{.label = "component alone", .values = {}},
        without{.label = "edge without it", .values = {}};
    for (Eigen::Index i = 0; i < std::min<Eigen::Index>(parts.score.size(), kMostComponents); ++i) {
      panel.x.categories.push_back(std::to_string(i));
      own.values.push_back(parts.score[i]);
      without.values.push_back(parts.without[i]);
    }
    panel.bars = {std::move(own), std::move(without)};
    panel.annotations = {
        {.kind = AnnotationKind::kHorizontalLine, .at = {0, edge.score.score}, .text = "edge"},
        {.kind = AnnotationKind::kHorizontalLine,
         .at = {0, 1 / std::sqrt(static_cast<double>(graph.dimension))},
         .text = "random"}};
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

// How often scores fall into each of kBins equal bins of [0, most].
LineSeries histogram(std::string label, const std::vector<double>& scores, double most, std::size_t index) {
  std::vector<double> x, y(kBins);
  for (std::size_t b = 0; b < kBins; ++b) x.push_back((static_cast<double>(b) + 0.5) * most / kBins);
  for (const double score : scores)
    y[std::min(static_cast<std::size_t>(score / most * kBins), kBins - 1)] +=
        1.0 / static_cast<double>(scores.size());
  return plainLine(std::move(label), std::move(x), std::move(y), index);
}

Figure distributionFigure(const AnalysisInput& input, const CompositionGraph& graph,
                          const ComponentSearch& search) {
  double most = 1e-9;
  for (const CompositionEdge& edge : graph.edges) most = std::max(most, edge.score.score);
  Panel edges;
  edges.x.label = "composition score";
  edges.y = {.label = "share of pairs", .minimum = 0};
  std::size_t index = 0;
  for (const CompositionThrough through : kThrough) {
    const std::vector<double> scores = scoresOf(graph, through, false);
    if (!scores.empty())
      edges.lines.push_back(histogram(std::string(name(through)), scores, most * 1.001, index));
    ++index;
  }
  const double random = 1 / std::sqrt(static_cast<double>(graph.dimension));
  edges.annotations = {{.kind = AnnotationKind::kVerticalLine, .at = {random, 0}, .text = "random"}};
  Figure figure{.name = "talking-heads-distribution",
                .caption = fmt::format(
                    "Composition scores of all pairs of heads of {}, and of the {} strongest components of "
                    "each earlier head alone; random: 1 / sqrt d, the root mean square over rotations. "
                    "Channels of low rank are the components far to the right.",
                    input.model, input.parameters.count("components")),
                .panels = {std::move(edges)}};
  double most_part = 1e-9;
  for (const std::vector<float>& scores : search.scores)
    for (const float score : scores) most_part = std::max(most_part, double{score});
  Panel parts;
  parts.x.label = "component's score";
  parts.y = {.label = "share of components", .scale = AxisScale::kLog};
  for (const CompositionThrough through : kThrough) {
    const std::vector<float>& scores = search.scores[static_cast<std::size_t>(through)];
    if (scores.empty()) continue;
    LineSeries line = histogram(std::string(name(through)), std::vector<double>(scores.begin(), scores.end()),
                                most_part * 1.001, static_cast<std::size_t>(through));
    for (double& share : line.y)
      if (share == 0) share = std::nan("");
    parts.lines.push_back(std::move(line));
  }
  parts.annotations = {{.kind = AnnotationKind::kVerticalLine, .at = {random, 0}, .text = "random"}};
  figure.panels.push_back(std::move(parts));
  return figure;
}

Result<std::vector<Channel>> channelsOf(const AnalysisInput& input, const CompositionGraph& graph) {
  std::vector<Channel> channels;
  for (std::size_t i = 0; i < std::min({input.parameters.count("edges"), kDetailedEdges, graph.edges.size()});
       ++i) {
    if (input.stop.stop_requested()) return fail(ErrorCode::kCancelled, "the channels were cancelled");
    const CompositionEdge& edge = graph.edges[i];
    TRY_ASSIGN(const LayerFactors from, LayerFactors::read(*input.spec, edge.from_layer, {}));
    TRY_ASSIGN(const LowRankProduct written, from.product(ProductKind::kOv, edge.from_head));
    TRY_ASSIGN(const FullSvd svd, productSvd(written));
    const Eigen::Map<const Eigen::VectorXd> scores(edge.components.data(),
                                                   static_cast<Eigen::Index>(edge.components.size()));
    channels.push_back({edge, componentChannel(svd.sigma, scores)});
  }
  return channels;
}

std::size_t headsIn(const ModelSpec& spec) {
  std::size_t heads = 0;
  for (const BlockSpec& block : spec.blocks)
    if (const AttentionSpec* attention = block.attention()) heads += attention->heads;
  return heads;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  if (const std::size_t heads = headsIn(*input.spec); heads > kMostHeads)
    return fail(ErrorCode::kInvalidArgument, "{} heads in all: pairs are compared up to {} heads", heads,
                kMostHeads);
  const auto halfOf = [&](std::size_t half) {
    return [&input, half](std::size_t layer, std::size_t layers) {
      if (input.progress) input.progress(half * layers + layer, 2 * layers);
    };
  };
  TRY_ASSIGN(const CompositionGraph graph, compositionGraph(*input.spec, {}, input.stop, halfOf(0)));
  if (graph.edges.empty())
    return fail(ErrorCode::kInvalidArgument, "no two layers with attention, whose heads could compose{}{}",
                graph.left_out.empty() ? "" : ": ", graph.left_out.empty() ? "" : graph.left_out.front());
  TRY_ASSIGN(const std::vector<Channel> channels, channelsOf(input, graph));
  TRY_ASSIGN(const ComponentSearch search, searchComponents(*input.spec, input.parameters.count("components"),
                                                            kListedComponents, input.stop, halfOf(1)));
  AnalysisResult result{.tables = {kindTable(graph), componentTable(graph, search), channelTable(channels)},
                        .figures = {mapFigure(input, graph), channelFigure(input, graph, channels),
                                    distributionFigure(input, graph, search)},
                        .notes = graph.left_out};
  const auto& [edge, parts] = channels.front();
  const Eigen::Index i = parts.strongest();
  result.notes.push_back(
      fmt::format("Strongest: {} with a score of {:.3f} (random {:.3f}, z = {:.0f}); component {} alone "
                  "carries {:.0f} % of score^2, and without it the score is {:.3f}.",
                  nameOf(edge), edge.score.score, 1 / std::sqrt(static_cast<double>(graph.dimension)),
                  edge.score.z, i, 100 * parts.share[i], parts.without[i]));
  if (!search.strongest.empty()) {
    const ComponentScore& c = search.strongest.front();
    result.notes.push_back(
        fmt::format("Strongest component: {} of {}.{}, read by {}.{} through its {} with {:.3f}, {:.1f} "
                    "times a random direction's.",
                    c.component, c.from_layer, c.from_head, c.to_layer, c.to_head, name(c.through), c.score,
                    c.score * std::sqrt(static_cast<double>(graph.dimension))));
  }
  result.notes.emplace_back(
      "z is against rotations of the whole stream: all heads share its few strong directions, so that most "
      "pairs are above it; compare pairs with one another.");
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "talking-heads",
    .title = "Talking heads: channels between layers",
    .paper =
        "Merullo, Eickhoff, Pavlick: Talking Heads: Understanding Inter-layer Communication in Transformer "
        "Language Models (arXiv:2406.09519)",
    .summary =
        "Which later heads read what earlier ones write, through which component of low rank, and what is "
        "left of it without that component.",
    .equation =
        "score = ||C_2 OV_1||_F / (||C_2||_F ||OV_1||_F), C_2 = QK_2^T, QK_2 or OV_2; OV_1 = sum s_i u_i "
        "v_i^T, of one component ||C_2 u_i|| / ||C_2||_F =: c_i; score^2 = sum s_i^2 c_i^2 / sum s_i^2, "
        "without component i the sums without it",
    .cost =
        "of H heads in all, width w: 3 H^2 d w^2 / 2, as much again for all w components, and 16 H d w^2; 4 "
        "H d w doubles",
    .unchecked =
        "Attention maps and task accuracy with a component zeroed or rescaled (they need the engine's "
        "interventions on the stream), and what a channel means (inhibition, lists of items).",
    .subject = Subject::kHeads,
    .parameters = kParameters,
    .run = run,
};

}  // namespace vitrine::core::methods::talking_heads
