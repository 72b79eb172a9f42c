// Where the head graph's nodes and edges lie: layers with attention from left to right, heads downwards, all
// of them at once or larger and moved. Pure arithmetic, no drawing.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <vector>

#include "core/spectra/head_graph_source.h"
#include "ui/selection.h"
#include "ui/views/geometry.h"

namespace vitrine::ui::spectra {

inline constexpr std::size_t kKinds = 3;  // of core::CompositionThrough
inline constexpr std::size_t kMostGraphEdges = 300;

// Which edges are shown.
struct GraphFilter {
  std::size_t most = 60;
  double least_z = 0;
  std::bitset<kKinds> kinds = 0b111;
  bool operator==(const GraphFilter&) const = default;
};
// Indices into `edges`, which are sorted by z: the strongest first, at most kMostGraphEdges.
std::vector<std::size_t> shownEdges(const std::vector<core::CompositionEdge>& edges,
                                    const GraphFilter& filter);

inline Head writerOf(const core::CompositionEdge& edge) {
  return {edge.from_layer, edge.from_head};
}
inline Head readerOf(const core::CompositionEdge& edge) {
  return {edge.to_layer, edge.to_head};
}
inline bool touches(const core::CompositionEdge& edge, Head head) {
  return writerOf(edge) == head || readerOf(edge) == head;
}

// Of the z among those that are shown from `weakest` to `strongest`: 0 to 1, by its logarithm.
double edgeStrength(double z, double weakest, double strongest);

inline constexpr std::size_t kCurvePoints = 25;
using Curve = std::array<Point, kCurvePoints>;
double distanceTo(const Curve& curve, Point at);

class GraphLayout {
 public:
  void setLayers(std::vector<core::HeadGraph::Layer> layers);  // shows all of them
  void setArea(const Rect& area);

  const Rect& area() const { return area_; }
  const std::vector<core::HeadGraph::Layer>& layers() const { return layers_; }
  std::uint32_t heads() const { return heads_; }  // of the layer with the most
  double zoom() const { return zoom_; }           // 1: all is seen

  double columnPitch() const {
    return zoom_ * area_.width() / double(std::max<std::size_t>(1, layers_.size()));
  }
  double rowPitch() const { return zoom_ * area_.height() / double(std::max(1u, heads_)); }
  double radius() const;  // of a node
  double columnAt(std::size_t column) const;
  double rowAt(std::uint32_t head) const;

  // Nothing for a head that no layer has.
  std::optional<Point> place(Head head) const;
  std::optional<Head> headAt(Point at) const;  // within reach of its node
  // From node to node; the three kinds between two heads lie apart. Of heads that place() knows.
  Curve curveOf(const core::CompositionEdge& edge) const;

  void zoomAt(Point at, double factor);  // what is there stays there
  void panBy(double x, double y);
  void fit();

 private:
  void clamp();

  std::vector<core::HeadGraph::Layer> layers_;
  std::vector<std::optional<std::size_t>> columns_;  // by layer
  std::uint32_t heads_ = 0;
  Rect area_;
  double zoom_ = 1, x_ = 0, y_ = 0;  // of the graph's corner from the area's
};

}  // namespace vitrine::ui::spectra
