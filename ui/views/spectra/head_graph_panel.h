// The head graph as the canvas draws it: nodes and edges, at the right (or below) the list of the edges and
// what carries the locked one.
//
// Keys: up, down, page up and down, Home and End step through the edges, the strongest first, and lock them;
// Q, K, V show and hide the edges through query, key and value; + and - zoom, 0 and F show all; Esc unlocks.
// The mouse: wheel zooms, drag moves, double click shows all; a click on an edge (or its row) locks it, one
// on a node selects that head everywhere.
#pragma once

#include <functional>

#include "ui/views/panel.h"
#include "ui/views/spectra/head_graph_state.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {

struct GraphAreas {
  Rect picture, list, components;  // the latter two empty where there is no room
};
GraphAreas graphAreas(const Rect& area);

class HeadGraphPanel {
 public:
  HeadGraphPanel(SpectraState& state, const Selection& selection)
      : state_(state), graph_(state.graph()), selection_(selection) {}

  void draw(CanvasFrame& frame, const Rect& area);
  // What the key does; nothing where it is none of the graph's.
  std::function<void(HeadGraphPanel&)> actionOf(const KeyPress& press) const;
  void fit() { layout_.fit(); }
  void zoom(double factor) { layout_.zoomAt(layout_.area().center(), factor); }
  const GraphLayout& layout() const { return layout_; }

 private:
  struct Hovered {
    std::optional<Head> head;
    std::optional<std::size_t> edge;
  };
  void prepare(const Rect& picture);
  Hovered handleMouse(CanvasFrame& frame);
  void drawLegend(CanvasFrame& frame, const Rect& picture);
  void drawAxes(CanvasFrame& frame, const Rect& picture) const;
  void drawEdges(CanvasFrame& frame, const Hovered& hovered) const;
  void drawNodes(CanvasFrame& frame, const Hovered& hovered) const;
  void drawList(CanvasFrame& frame, const Rect& area, Hovered& hovered);
  void drawComponents(CanvasFrame& frame, const Rect& area) const;
  void drawTooltips(CanvasFrame& frame, const Hovered& hovered) const;

  SpectraState& state_;
  HeadGraphState& graph_;
  const Selection& selection_;
  GraphLayout layout_;
  std::shared_ptr<const core::HeadGraph> of_;  // that layout_ is of
  std::vector<Curve> curves_;                  // of the shown edges
  std::optional<std::size_t> row_hovered_;     // edge under the pointer in the list, of the last frame
  std::optional<std::size_t> scrolled_to_;
  std::size_t first_row_ = 0;
  bool dragging_ = false;
};

}  // namespace vitrine::ui::spectra
