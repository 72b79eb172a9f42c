#include "ui/views/spectra/head_graph_panel.h"

#include "ui/views/axis_labels.h"
#include "ui/views/spectra/head_graph_draw.h"
#include "ui/views/spectra/view_keys.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr double kSideWidth = 300, kLeastPicture = 420, kLeastBelow = 420, kBelowHeight = 190;
constexpr double kGraphHead = 54, kGraphLeft = 44, kGraphBelow = 40, kGraphRight = 16;
constexpr double kGraphReach = 6, kGraphDrag = 4, kGraphWheel = 1.2;
constexpr double kLegendStep = 92;

}  // namespace

GraphAreas graphAreas(const Rect& area) {
  GraphAreas areas{.picture = area, .list = {}, .components = {}};
  if (area.width() >= kSideWidth + kLeastPicture) {
    areas.picture.x1 = area.x1 - kSideWidth;
    const double middle = std::round(area.y0 + area.height() * 0.52);
    areas.list = {areas.picture.x1 + 1, area.y0, area.x1, middle};
    areas.components = {areas.picture.x1 + 1, middle, area.x1, area.y1};
  } else if (area.height() >= kLeastBelow) {
    areas.picture.y1 = area.y1 - kBelowHeight;
    const double middle = std::round(area.center().x);
    areas.list = {area.x0, areas.picture.y1 + 1, middle, area.y1};
    areas.components = {middle, areas.picture.y1 + 1, area.x1, area.y1};
  }
  return areas;
}

void HeadGraphPanel::prepare(const Rect& picture) {
  if (of_ != graph_.sharedGraph()) {
    of_ = graph_.sharedGraph();
    layout_.setLayers(of_ ? of_->layers : std::vector<core::HeadGraph::Layer>{});
    first_row_ = 0;
  }
  layout_.setArea(
      {picture.x0 + kGraphLeft, picture.y0 + kGraphHead, picture.x1 - kGraphRight, picture.y1 - kGraphBelow});
}

void HeadGraphPanel::draw(CanvasFrame& frame, const Rect& area) {
  const GraphAreas areas = graphAreas(area);
  prepare(areas.picture);
  const Rect& plot = layout_.area();
  if (plot.width() < 60 || plot.height() < 60) return;
  Hovered hovered = handleMouse(frame);
  if (row_hovered_) hovered = {.head = {}, .edge = row_hovered_};
  row_hovered_.reset();
  curves_.clear();
  for (const std::size_t edge : graph_.shown()) curves_.push_back(layout_.curveOf(graph_.edge(edge)));
  ImDrawList& list = *ImGui::GetWindowDrawList();
  drawAxes(frame, areas.picture);
  list.PushClipRect(low(plot), high(plot), true);
  drawEdges(frame, hovered);
  drawNodes(frame, hovered);
  list.PopClipRect();
  drawLegend(frame, areas.picture);
  const ImU32 line = frame.theme.colors.line.abgr();
  if (!areas.list.empty()) {
    list.AddRectFilled({float(areas.list.x0 - 1), float(areas.list.y0)},
                       {float(areas.list.x1), float(areas.list.y0 + 1)}, line);
    list.AddRectFilled({float(areas.list.x0 - 1), float(areas.list.y0)},
                       {float(areas.list.x0), float(areas.list.y1)}, line);
    list.AddRectFilled({float(areas.components.x0 - 1), float(areas.components.y0)},
                       {float(areas.components.x1), float(areas.components.y0 + 1)}, line);
    list.AddRectFilled({float(areas.components.x0 - 1), float(areas.components.y0)},
                       {float(areas.components.x0), float(areas.components.y1)}, line);
    drawList(frame, areas.list, hovered);
    drawComponents(frame, areas.components);
  }
  drawTooltips(frame, hovered);
}

HeadGraphPanel::Hovered HeadGraphPanel::handleMouse(CanvasFrame& frame) {
  const ImGuiIO& io = ImGui::GetIO();
  const Rect& plot = layout_.area();
  ImGui::SetCursorScreenPos(low(plot));
  ImGui::InvisibleButton("head graph", {float(plot.width()), float(plot.height())});
  const bool over = ImGui::IsItemHovered(), active = ImGui::IsItemActive();
  const bool released = ImGui::IsItemDeactivated();
  const Point at = toPoint(io.MousePos);
  if (over && io.MouseWheel != 0) layout_.zoomAt(at, std::pow(kGraphWheel, io.MouseWheel));
  if (active && ImGui::IsMouseDragging(ImGuiMouseButton_Left, kGraphDrag)) dragging_ = true;
  if (active && dragging_) {
    layout_.panBy(io.MouseDelta.x, io.MouseDelta.y);
    frame.cursor = ImGuiMouseCursor_ResizeAll;
    return {};
  }
  const bool was_dragging = std::exchange(dragging_, dragging_ && active);
  if (!over) return {};
  Hovered hovered{.head = layout_.headAt(at), .edge = {}};
  double least = kGraphReach;
  for (const std::size_t edge : graph_.shown()) {
    if (hovered.head) break;
    const double distance = distanceTo(layout_.curveOf(graph_.edge(edge)), at);
    if (distance >= least) continue;  // of two as near the stronger
    least = distance;
    hovered.edge = edge;
  }
  if (hovered.head || hovered.edge) frame.cursor = ImGuiMouseCursor_Hand;
  if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && !hovered.head && !hovered.edge)
    layout_.fit();
  else if (released && !was_dragging && hovered.head)
    emit state_.headChosen(*hovered.head);
  else if (released && !was_dragging && hovered.edge)
    graph_.lock(hovered.edge);
  return hovered;
}

// Kinds with their lines: a click shows or hides one.
void HeadGraphPanel::drawLegend(CanvasFrame& frame, const Rect& picture) {
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const double legend = 3 * kLegendStep;
  const bool one_row = picture.width() > legend + 260;
  const std::size_t all = graph_.graph()->graph.edges.size();
  graphText(
      frame, {float(picture.x0 + 16), float(picture.y0 + 16)}, Align::kLeft, colors.text,
      fmt::format("Which heads read what earlier ones write: {} of {} edges", graph_.shown().size(), all),
      picture.width() - 32 - (one_row ? legend : 0), 13);
  double x = one_row ? picture.x1 - legend - 4 : picture.x0 + kGraphLeft;
  const double y = picture.y0 + (one_row ? 16 : 34);
  for (const core::CompositionThrough kind : kGraphKinds) {
    const bool on = graph_.filter().kinds.test(std::size_t(kind));
    ImGui::PushID(int(kind));
    ImGui::SetCursorScreenPos({float(x), float(y - 11)});
    if (ImGui::InvisibleButton("kind", {float(kLegendStep - 4), 22})) graph_.toggle(kind);
    const bool over = ImGui::IsItemHovered();
    ImGui::PopID();
    if (over)
      list.AddRectFilled({float(x), float(y - 11)}, {float(x + kLegendStep - 4), float(y + 11)},
                         colors.hover.abgr(), 4);
    const Rgba color = on ? kindColor(frame.theme, kind) : colors.text_disabled;
    strokeLine(list, {float(x + 6), float(y)}, {float(x + 34), float(y)}, color, 2, kind);
    graphText(frame, {float(x + 40), float(y)}, Align::kLeft, on ? colors.text : colors.text_disabled,
              std::string(core::name(kind)), 46);
    if (!on) list.AddLine({float(x + 4), float(y)}, {float(x + 84), float(y)}, color.abgr());
    if (over)
      drawTooltip(frame,
                  {.title = fmt::format("{} edges through the {}", on ? "Hide" : "Show", core::name(kind)),
                   .rows = {{"score", std::string(formulaOf(kind)), colors.text}},
                   .hint = fmt::format("key: {}", char(std::toupper(core::name(kind)[0])))},
                  {x, y - 11, x + kLegendStep - 4, y + 11}, {4, 4, frame.size.x - 4.0, frame.size.y - 4.0});
    x += kLegendStep;
  }
}

void HeadGraphPanel::drawAxes(CanvasFrame& frame, const Rect& picture) const {
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Rect& plot = layout_.area();
  const AxisRequest columns{.first_at = layout_.columnAt(0),
                            .cell = layout_.columnPitch(),
                            .from = plot.x0,
                            .to = plot.x1,
                            .count = std::uint32_t(layout_.layers().size()),
                            .spacing = 26};
  for (std::size_t column = 0; column < layout_.layers().size(); ++column) {
    const float x = float(layout_.columnAt(column));
    if (x < plot.x0 || x > plot.x1) continue;
    list.AddLine({x, float(plot.y0)}, {x, float(plot.y1)}, colors.hover.withAlpha(110).abgr());
  }
  for (const AxisLabel& label : axisLabels(columns))
    graphText(frame, {float(label.at), float(plot.y1 + 10)}, Align::kCenter, colors.text_secondary,
              std::to_string(layout_.layers()[label.index].layer));
  const AxisRequest rows{.first_at = layout_.rowAt(0),
                         .cell = layout_.rowPitch(),
                         .from = plot.y0,
                         .to = plot.y1,
                         .count = layout_.heads(),
                         .spacing = 18};
  for (const AxisLabel& label : axisLabels(rows))
    graphText(frame, {float(plot.x0 - 8), float(label.at)}, Align::kRight, colors.text_secondary,
              std::to_string(label.index));
  graphText(frame, {float(plot.center().x), float(plot.y1 + 27)}, Align::kCenter, colors.text_secondary,
            "layer: a head reads what those at its left write", plot.width());
  graphDownText(frame, picture.x0 + 14, plot.center().y, plot.height(), colors.text_secondary, "head");
}

// The weakest first, so that the strong ones lie above; what is meant last of all.
void HeadGraphPanel::drawEdges(CanvasFrame& frame, const Hovered& hovered) const {
  const std::vector<std::size_t>& shown = graph_.shown();
  if (shown.empty()) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto z = [&](std::size_t edge) { return graph_.edge(edge).score.z; };
  const double strongest = z(shown.front()), weakest = z(shown.back());
  const std::optional<std::size_t> meant = hovered.edge ? hovered.edge : graph_.locked();
  const auto stroke = [&](std::size_t at, bool above) {
    const core::CompositionEdge& edge = graph_.edge(shown[at]);
    const bool dimmed = !above && (hovered.head ? !touches(edge, *hovered.head) : meant.has_value());
    const double strength = edgeStrength(edge.score.z, weakest, strongest);
    const double opacity = above ? 1 : dimmed ? (hovered.head ? 0.1 : 0.22) : 0.3 + 0.65 * strength;
    const double width = 1.1 + 2.6 * strength + (above ? 1 : 0);
    strokeCurve(list, curves_[at],
                kindColor(frame.theme, edge.through).withAlpha(std::uint8_t(255 * opacity)), float(width),
                edge.through);
  };
  for (std::size_t at = shown.size(); at-- > 0;)
    if (shown[at] != meant || hovered.head) stroke(at, false);
  const auto found = meant ? std::ranges::find(shown, *meant) : shown.end();
  if (found != shown.end() && !hovered.head) stroke(std::size_t(found - shown.begin()), true);
}

void HeadGraphPanel::drawNodes(CanvasFrame& frame, const Hovered& hovered) const {
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float radius = float(layout_.radius());
  std::vector<Head> lit;  // the others are dimmed
  const std::optional<std::size_t> meant = hovered.edge ? hovered.edge : graph_.locked();
  for (const std::size_t index : graph_.shown()) {
    const core::CompositionEdge& edge = graph_.edge(index);
    if (hovered.head ? touches(edge, *hovered.head) : !meant || *meant == index)
      lit.insert(lit.end(), {writerOf(edge), readerOf(edge)});
  }
  if (meant && !hovered.head) lit = {writerOf(graph_.edge(*meant)), readerOf(graph_.edge(*meant))};
  const auto order = [](Head head) { return std::pair(head.layer, head.head); };
  std::ranges::sort(lit, {}, order);
  for (const core::HeadGraph::Layer& layer : layout_.layers())
    for (std::uint32_t head = 0; head < layer.heads; ++head) {
      const Head here{layer.layer, head};
      const Point at = layout_.place(here).value();
      if (!layout_.area().expanded(radius).contains(at)) continue;
      const bool bright = hovered.head == here || std::ranges::binary_search(lit, order(here), {}, order);
      list.AddCircleFilled(toIm(at), radius, (bright ? colors.text_secondary : colors.control_border).abgr());
      if (hovered.head == here) list.AddCircle(toIm(at), radius + 2, colors.text.abgr(), 0, 1.5f);
      if (selection_.layers() > 0 && selection_.head() == here)
        list.AddCircle(toIm(at), radius + 3.5f, colors.accent.abgr(), 0, 2);
    }
}

void HeadGraphPanel::drawList(CanvasFrame& frame, const Rect& area, Hovered& hovered) {
  const std::vector<std::size_t>& shown = graph_.shown();
  const Colors& colors = frame.theme.colors;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  constexpr double kRow = 22, kHead = 52;
  const std::array<float, 4> columns{float(area.x0 + 40), float(area.x0 + 130), float(area.x1 - 72),
                                     float(area.x1 - 16)};
  graphText(frame, {float(area.x0 + 16), float(area.y0 + 16)}, Align::kLeft, colors.text, "Strongest edges",
            area.width() - 32, 13);
  const float head = float(area.y0 + 40);
  graphText(frame, {columns[0], head}, Align::kLeft, colors.text_secondary, "from → to");
  graphText(frame, {columns[1], head}, Align::kLeft, colors.text_secondary, "through");
  graphText(frame, {columns[2], head}, Align::kRight, colors.text_secondary, "score");
  graphText(frame, {columns[3], head}, Align::kRight, colors.text_secondary, "z");
  const Rect rows{area.x0, area.y0 + kHead, area.x1, area.y1 - 4};
  const auto room = std::size_t(std::max(0.0, rows.height() / kRow));
  if (room == 0) return;
  const std::size_t most = shown.size() > room ? shown.size() - room : 0;
  if (const auto found = graph_.locked() ? std::ranges::find(shown, *graph_.locked()) : shown.end();
      graph_.locked() != scrolled_to_ && found != shown.end()) {
    const auto row = std::size_t(found - shown.begin());
    first_row_ = std::clamp(first_row_, row + 1 > room ? row + 1 - room : 0, row);
  }
  scrolled_to_ = graph_.locked();
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  const bool over = rows.contains(mouse) && ImGui::IsWindowHovered();
  if (over && ImGui::GetIO().MouseWheel != 0)
    first_row_ = std::size_t(std::max(0.0, double(first_row_) - 3.0 * double(ImGui::GetIO().MouseWheel)));
  first_row_ = std::min(first_row_, most);
  for (std::size_t i = first_row_; i < std::min(shown.size(), first_row_ + room); ++i) {
    const core::CompositionEdge& edge = graph_.edge(shown[i]);
    const double top = rows.y0 + kRow * double(i - first_row_);
    const Rect row{rows.x0, top, rows.x1, top + kRow};
    const bool here = over && row.contains(mouse);
    const bool locked = graph_.locked() == shown[i];
    if (locked || here || hovered.edge == shown[i])
      list.AddRectFilled(low(row), high(row), (locked ? colors.selected : colors.hover).abgr());
    if (here) {
      row_hovered_ = shown[i];
      if (hovered.edge != shown[i]) frame.again();
      if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) graph_.lock(shown[i]);
    }
    const float y = float(row.center().y);
    strokeLine(list, {float(row.x0 + 10), y}, {float(row.x0 + 34), y}, kindColor(frame.theme, edge.through),
               2, edge.through);
    drawText(list, frame.fonts.monoSmall(), {columns[0], y}, Align::kLeft, colors.text, arrowText(edge));
    graphText(frame, {columns[1], y}, Align::kLeft, colors.text_secondary,
              std::string(core::name(edge.through)));
    drawText(list, frame.fonts.monoSmall(), {columns[2], y}, Align::kRight, colors.text,
             fmt::format("{:.3f}", edge.score.score));
    drawText(list, frame.fonts.monoSmall(), {columns[3], y}, Align::kRight, colors.text,
             fmt::format("{:.1f}", edge.score.z));
  }
  if (shown.empty())
    graphText(frame, {float(rows.x0 + 16), float(rows.y0 + 14)}, Align::kLeft, colors.text_secondary,
              graph_.filter().kinds.none() ? "All kinds are hidden: Q, K, V show them."
                                           : "No edge is as far above chance: lower z.",
              area.width() - 32);
}

void HeadGraphPanel::drawComponents(CanvasFrame& frame, const Rect& area) const {
  const Colors& colors = frame.theme.colors;
  const auto say = [&](double y, Rgba color, const std::string& text, int size = 11) {
    graphText(frame, {float(area.x0 + 16), float(area.y0 + y)}, Align::kLeft, color, text, area.width() - 32,
              size);
  };
  if (!graph_.locked()) {
    say(16, colors.text, "Components", 13);
    say(40, colors.text_secondary, "Click an edge, or step with ↑ ↓: the components");
    say(56, colors.text_secondary, "of the earlier head's OV that carry it.");
    return;
  }
  const core::CompositionEdge& edge = graph_.edge(*graph_.locked());
  say(16, colors.text, fmt::format("{} through the {}", arrowText(edge), core::name(edge.through)), 13);
  const core::ComponentChannel* channel = graph_.channel();
  if (!channel) {
    graph_.error().empty() ? say(40, colors.text_secondary, "Its components are computed …")
                           : say(40, colors.error, graph_.error());
    return;
  }
  const Eigen::Index i = channel->strongest();
  say(36, colors.text_secondary,
      fmt::format("component {} carries {:.0f} %; without it {:.3f}", i, 100 * channel->share[i],
                  channel->without[i]));
  drawComponentBars(frame, {area.x0, area.y0 + 48, area.x1, area.y1}, *channel, graph_.chance(),
                    edge.score.score, kindColor(frame.theme, edge.through));
}

void HeadGraphPanel::drawTooltips(CanvasFrame& frame, const Hovered& hovered) const {
  const Colors& colors = frame.theme.colors;
  const Rect bounds{4, 4, frame.size.x - 4.0, frame.size.y - 4.0};
  const Point mouse = toPoint(ImGui::GetIO().MousePos);
  if (!layout_.area().contains(mouse)) return;
  const Rect target = Rect{mouse.x, mouse.y, mouse.x, mouse.y}.expanded(10);
  if (hovered.head) {
    std::array<std::size_t, 2> counts{};
    for (const std::size_t index : graph_.shown()) {
      counts[0] += readerOf(graph_.edge(index)) == *hovered.head;
      counts[1] += writerOf(graph_.edge(index)) == *hovered.head;
    }
    drawTooltip(frame,
                {.title = fmt::format("Layer {} · Head {}", hovered.head->layer, hovered.head->head),
                 .rows = {{"reads, edges shown", std::to_string(counts[0]), colors.text},
                          {"is read, edges shown", std::to_string(counts[1]), colors.text}},
                 .hint = "click: select this head everywhere"},
                target, bounds);
  } else if (hovered.edge) {
    const core::CompositionEdge& edge = graph_.edge(*hovered.edge);
    drawTooltip(
        frame,
        {.title = arrowText(edge),
         .rows = {{"through", std::string(core::name(edge.through)), kindColor(frame.theme, edge.through)},
                  {"score", fmt::format("{:.4f}", edge.score.score), colors.text},
                  {"by chance", fmt::format("{:.4f}", graph_.chance()), colors.text},
                  {"z", fmt::format("{:.1f}", edge.score.z), colors.text}},
         .hint = graph_.locked() == hovered.edge ? "click: unlock" : "click: lock, show its components"},
        target, bounds);
  }
}

std::function<void(HeadGraphPanel&)> HeadGraphPanel::actionOf(const KeyPress& press) const {
  using Self = HeadGraphPanel;
  constexpr std::ptrdiff_t kPage = 10;
  if (!graph_.graph() || (press.modifiers & ~(Qt::KeypadModifier | Qt::ShiftModifier)) != Qt::NoModifier)
    return {};
  if (const auto rows = rowsOf(press.key, kPage, std::ptrdiff_t(graph_.shown().size())))
    return [rows](Self& self) { self.graph_.step(*rows); };
  if (const auto factor = zoomOf(press.key))
    return [factor](Self& self) { *factor > 0 ? self.zoom(*factor) : self.fit(); };
  const auto toggle = [](core::CompositionThrough through) {
    return [through](Self& self) { self.graph_.toggle(through); };
  };
  switch (press.key) {
    case Qt::Key_Q:
      return toggle(core::CompositionThrough::kQuery);
    case Qt::Key_K:
      return toggle(core::CompositionThrough::kKey);
    case Qt::Key_V:
      return toggle(core::CompositionThrough::kValue);
    case Qt::Key_Escape:
      if (graph_.locked()) return [](Self& self) { self.graph_.lock(std::nullopt); };
      return {};
    default:
      return {};
  }
}

}  // namespace vitrine::ui::spectra
