#include "ui/views/spectra/head_graph_facts.h"

#include "core/figure/head_graph_figures.h"
#include "ui/views/spectra/head_graph_draw.h"
#include "ui/views/spectra/spectra_facts.h"

#include <algorithm>

namespace vitrine::ui::spectra {
namespace {

QString graphUtf8(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

QString scoreMeaning() {
  return QObject::tr(
      "0: the later head reads nothing of what the earlier one writes; 1: all of it lies in the "
      "direction that it reads");
}

InspectorSection modelGraphFacts(const HeadGraphState& state) {
  const core::CompositionGraph& graph = state.graph()->graph;
  InspectorSection section{QString(), {}};
  section.facts.push_back({QObject::tr("Edges"),
                           QObject::tr("%1 of %2 shown").arg(state.shown().size()).arg(graph.edges.size()),
                           QObject::tr("All pairs of heads of an earlier and a later layer, by each way")});
  for (const core::CompositionThrough kind : kGraphKinds) {
    std::size_t all = 0, high = 0;
    for (const core::CompositionEdge& edge : graph.edges) {
      all += edge.through == kind;
      high += edge.through == kind && edge.score.z > 3;
    }
    section.facts.push_back({graphUtf8(fmt::format("Through {}", core::name(kind))),
                             QObject::tr("%1, %2 with z > 3").arg(all).arg(high),
                             graphUtf8(formulaOf(kind))});
  }
  if (!graph.edges.empty()) {
    const core::CompositionEdge& first = graph.edges.front();
    section.facts.push_back(
        {QObject::tr("Strongest"),
         graphUtf8(fmt::format("{} ({})", arrowText(first), core::name(first.through))),
         graphUtf8(fmt::format("score {:.4f}, z = {:.1f}", first.score.score, first.score.z))});
  }
  section.facts.push_back(
      {QObject::tr("By chance"), graphUtf8(fmt::format("{:.4f}", state.chance())),
       QObject::tr("1 / √d: the root mean square over all rotations of the stream between "
                   "the two. All heads share its few strong directions, so that most "
                   "pairs are above it: compare pairs with one another")});
  return section;
}

InspectorSection foldedGraphFacts(const QString& title,
                                  const std::vector<std::pair<std::string, std::string>>& folded) {
  InspectorSection section{title, {}};
  for (const auto& [label, text] : folded)
    section.facts.push_back({graphUtf8(label), graphUtf8(text), graphUtf8(label + ": " + text)});
  return section;
}

InspectorSection edgeFacts(const core::CompositionEdge& edge, double chance) {
  return {QString(),
          {{QObject::tr("From"), QObject::tr("layer %1, head %2").arg(edge.from_layer).arg(edge.from_head),
            QObject::tr("Writes the stream through its OV product")},
           {QObject::tr("To"), QObject::tr("layer %1, head %2").arg(edge.to_layer).arg(edge.to_head),
            QObject::tr("Reads the stream")},
           {QObject::tr("Through"), graphUtf8(core::name(edge.through)), graphUtf8(formulaOf(edge.through))},
           {QObject::tr("Score"), graphUtf8(fmt::format("{:.4f}", edge.score.score)), scoreMeaning()},
           {QObject::tr("By chance"),
            graphUtf8(fmt::format("{:.4f} (× {:.2f})", chance, edge.score.score / chance)),
            QObject::tr("1 / √d, of random rotations between the two; in brackets the score over it")},
           {QObject::tr("z"), graphUtf8(fmt::format("{:.1f}", edge.score.z)),
            QObject::tr("Standard deviations of score² above that of random rotations")}}};
}

InspectorSection channelFacts(const core::ComponentChannel& channel) {
  const Eigen::Index i = channel.strongest();
  return {QObject::tr("Components"),
          {{QObject::tr("Strongest"), QObject::tr("%1 of %2").arg(i).arg(channel.score.size()),
            QObject::tr("s u vᵀ of the earlier head's OV, counted from 0 by s")},
           {QObject::tr("Its score"), graphUtf8(fmt::format("{:.4f}", channel.score[i])),
            QStringLiteral("‖C₂ u‖ / ‖C₂‖")},
           {QObject::tr("Carries"), graphUtf8(fmt::format("{:.1f} %", 100 * channel.share[i])),
            QObject::tr("Its share of the edge's score²")},
           {QObject::tr("Of the energy"), graphUtf8(fmt::format("{:.1f} %", 100 * channel.energy[i])),
            QObject::tr("Its share of ‖OV₁‖²")},
           {QObject::tr("Without it"), graphUtf8(fmt::format("{:.4f}", channel.without[i])),
            QObject::tr("The edge's score with this component zeroed")},
           {QObject::tr("Effective number"), graphUtf8(fmt::format("{:.1f}", channel.effective)),
            QObject::tr("exp of the entropy of the components' shares: how many carry the edge")}}};
}

const core::HeadGraph::Layer* graphLayer(const core::HeadGraph& graph, std::uint32_t layer) {
  const auto found = std::ranges::find(graph.layers, layer, &core::HeadGraph::Layer::layer);
  return found == graph.layers.end() ? nullptr : &*found;
}

}  // namespace

std::vector<InspectorSection> headGraphFacts(const HeadGraphState& state,
                                             const std::vector<std::string>& left_out) {
  if (!state.graph())
    return {
        {QString(),
         {{QObject::tr("Head graph"), QStringLiteral("–"), QObject::tr("It has not been computed yet")}}}};
  std::vector<InspectorSection> sections;
  const core::HeadGraph& graph = *state.graph();
  const core::HeadGraph::Layer* writer = graph.layers.empty() ? nullptr : &graph.layers.front();
  const core::HeadGraph::Layer* reader = writer;
  bool value = false;
  if (state.locked()) {
    const core::CompositionEdge& edge = state.edge(*state.locked());
    sections.push_back(edgeFacts(edge, state.chance()));
    if (state.channel()) sections.push_back(channelFacts(*state.channel()));
    writer = graphLayer(graph, edge.from_layer);
    reader = graphLayer(graph, edge.to_layer);
    value = edge.through == core::CompositionThrough::kValue;
  } else {
    sections.push_back(modelGraphFacts(state));
  }
  if (writer) sections.push_back(foldedGraphFacts(QObject::tr("Folded into OV"), writer->folded_ov));
  if (reader && !value)
    sections.push_back(foldedGraphFacts(QObject::tr("Folded into QK"), reader->folded_qk));
  if (!left_out.empty()) sections.push_back(leftOutFacts(QObject::tr("Layers without"), left_out));
  return sections;
}

QStringList headGraphFigureNames() {
  return {QObject::tr("Scores of all pairs"), QObject::tr("Components of the locked edge")};
}

std::optional<ViewFigure> headGraphFigure(const HeadGraphState& state, HeadGraphFigure content,
                                          const std::string& model) {
  if (!state.graph() || state.graph()->graph.edges.empty()) return std::nullopt;
  const core::CompositionGraph& graph = state.graph()->graph;
  ViewFigure made;
  made.parameters.emplace_back("dimension", std::to_string(graph.dimension));
  if (content == HeadGraphFigure::kMap) {
    made.figure = core::headMapFigure(graph, model);
    made.base_name = "head-graph";
    return made;
  }
  if (!state.locked() || !state.channel()) return std::nullopt;
  const core::HeadChannel channel{state.edge(*state.locked()), *state.channel()};
  made.figure = core::headChannelFigure(graph.dimension, {&channel, 1}, model);
  made.base_name = fmt::format("head-graph-{}.{}-{}.{}-{}", channel.edge.from_layer, channel.edge.from_head,
                               channel.edge.to_layer, channel.edge.to_head, core::name(channel.edge.through));
  made.parameters.emplace_back("edge", core::edgeName(channel.edge));
  return made;
}

}  // namespace vitrine::ui::spectra
