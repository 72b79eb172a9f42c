// Talking heads: low-rank channels from earlier heads to later ones, and what zeroing a component of one
// does.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/figure/head_graph_figures.h"
#include "core/methods/support/channel_runs.h"
#include "core/methods/support/tune_panels.h"
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
    {.name = "zeroed",
     .fallback = 5,
     .least = 1,
     .most = 20,
     .unit = "",
     .help = "strongest components that are zeroed, one by one, while the prompt is read"},
};

constexpr CompositionThrough kThrough[] = {CompositionThrough::kQuery, CompositionThrough::kKey,
                                           CompositionThrough::kValue};
constexpr std::size_t kBins = 40;
constexpr std::size_t kListedComponents = 20;
constexpr std::size_t kMostHeads = 2'048;  // of six million pairs

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

Table channelTable(const std::vector<HeadChannel>& channels) {
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

Result<std::vector<HeadChannel>> channelsOf(const AnalysisInput& input, const CompositionGraph& graph) {
  std::vector<HeadChannel> channels;
  for (std::size_t i = 0; i < std::min({input.parameters.count("edges"), kDetailedEdges, graph.edges.size()});
       ++i) {
    if (input.stop.stop_requested()) return fail(ErrorCode::kCancelled, "the channels were cancelled");
    const CompositionEdge& edge = graph.edges[i];
    TRY_ASSIGN(ComponentChannel parts, channelOf(*input.spec, edge));
    channels.push_back({edge, std::move(parts)});
  }
  return channels;
}

std::size_t headsIn(const ModelSpec& spec) {
  std::size_t heads = 0;
  for (const BlockSpec& block : spec.blocks)
    if (const AttentionSpec* attention = block.attention()) heads += attention->heads;
  return heads;
}

Result<void> addRuns(const AnalysisInput& input, const ComponentSearch& search, AnalysisResult& to) {
  TRY_ASSIGN(const ChannelRuns runs, runChannels(input, search.strongest, input.parameters.count("zeroed")));
  to.tables.push_back(channelRunTable(runs));
  to.figures.push_back(channelMapFigure(input, runs));
  to.figures.push_back(channelEffectFigure(input, runs));
  to.notes.push_back(noteOf(runs));
  return {};
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
  TRY_ASSIGN(const std::vector<HeadChannel> channels, channelsOf(input, graph));
  TRY_ASSIGN(const ComponentSearch search, searchComponents(*input.spec, input.parameters.count("components"),
                                                            kListedComponents, input.stop, halfOf(1)));
  AnalysisResult result{.tables = {kindTable(graph), componentTable(graph, search), channelTable(channels)},
                        .figures = {headMapFigure(graph, input.model),
                                    headChannelFigure(graph.dimension, channels, input.model),
                                    distributionFigure(input, graph, search)},
                        .notes = graph.left_out};
  const auto& [edge, parts] = channels.front();
  const Eigen::Index i = parts.strongest();
  result.notes.push_back(
      fmt::format("Strongest: {} with a score of {:.3f} (random {:.3f}, z = {:.0f}); component {} alone "
                  "carries {:.0f} % of score^2, and without "
                  "it the score is {:.3f}.",
                  edgeName(edge), edge.score.score, 1 / std::sqrt(static_cast<double>(graph.dimension)),
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
  if (runsModel(input) && !search.strongest.empty()) TRY(addRuns(input, search, result));
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
        "left of it, of the later head's attention and of the predictions without that component.",
    .equation =
        "score = ||C_2 OV_1||_F / (||C_2||_F ||OV_1||_F), C_2 = QK_2^T, QK_2 or OV_2; OV_1 = sum s_i u_i "
        "v_i^T, of one component ||C_2 u_i|| / ||C_2||_F =: c_i; score^2 = sum s_i^2 c_i^2 / sum s_i^2, "
        "without component i the sums without it, W_O,1 -> (I - u_i u_i^T) W_O,1 in a run",
    .cost =
        "of H heads in all, width w: 3 H^2 d w^2 / 2, as much again for all w components, and 16 H d w^2; 4 "
        "H d w doubles; three runs on the prompt for each component zeroed",
    .unchecked =
        "Task accuracy with a component rescaled, and what a channel means (inhibition, lists of items).",
    .subject = Subject::kHeads,
    .parameters = kParameters,
    .runs = {.prompt = "which is read with components zeroed"},
    .run = run,
};

}  // namespace vitrine::core::methods::talking_heads
