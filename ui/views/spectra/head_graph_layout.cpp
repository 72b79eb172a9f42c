#include "ui/views/spectra/head_graph_layout.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr double kMostZoom = 24, kLeastRadius = 2.5, kMostRadius = 9, kReachOfNode = 4;

double distanceToLine(Point from, Point to, Point at) {
  const double dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy;
  const double t =
      length > 0 ? std::clamp(((at.x - from.x) * dx + (at.y - from.y) * dy) / length, 0.0, 1.0) : 0;
  return std::hypot(at.x - from.x - t * dx, at.y - from.y - t * dy);
}

}  // namespace

std::vector<std::size_t> shownEdges(const std::vector<core::CompositionEdge>& edges,
                                    const GraphFilter& filter) {
  std::vector<std::size_t> shown;
  const std::size_t most = std::min(filter.most, kMostGraphEdges);
  for (std::size_t i = 0; i < edges.size() && shown.size() < most; ++i) {
    if (edges[i].score.z < filter.least_z) break;
    if (filter.kinds.test(std::size_t(edges[i].through))) shown.push_back(i);
  }
  return shown;
}

double edgeStrength(double z, double weakest, double strongest) {
  const auto place = [](double value) { return std::log1p(std::max(0.0, value)); };
  const double span = place(strongest) - place(weakest);
  return span > 0 ? std::clamp((place(z) - place(weakest)) / span, 0.0, 1.0) : 1;
}

double distanceTo(const Curve& curve, Point at) {
  double least = distanceToLine(curve[0], curve[1], at);
  for (std::size_t i = 1; i + 1 < curve.size(); ++i)
    least = std::min(least, distanceToLine(curve[i], curve[i + 1], at));
  return least;
}

void GraphLayout::setLayers(std::vector<core::HeadGraph::Layer> layers) {
  layers_ = std::move(layers);
  columns_.clear();
  heads_ = 0;
  for (std::size_t column = 0; column < layers_.size(); ++column) {
    columns_.resize(std::max(columns_.size(), std::size_t(layers_[column].layer) + 1));
    columns_[layers_[column].layer] = column;
    heads_ = std::max(heads_, layers_[column].heads);
  }
  fit();
}

// The graph grows and shrinks with its area, so that what was in its middle stays there.
void GraphLayout::setArea(const Rect& area) {
  if (!area_.empty()) {
    x_ *= area.width() / area_.width();
    y_ *= area.height() / area_.height();
  }
  area_ = area;
  clamp();
}

double GraphLayout::radius() const {
  return std::clamp(0.24 * std::min(columnPitch(), rowPitch()), kLeastRadius, kMostRadius);
}

double GraphLayout::columnAt(std::size_t column) const {
  return area_.x0 + x_ + columnPitch() * (double(column) + 0.5);
}

double GraphLayout::rowAt(std::uint32_t head) const {
  return area_.y0 + y_ + rowPitch() * (double(head) + 0.5);
}

std::optional<Point> GraphLayout::place(Head head) const {
  if (head.layer >= columns_.size() || !columns_[head.layer]) return std::nullopt;
  const std::size_t column = *columns_[head.layer];
  if (head.head >= layers_[column].heads) return std::nullopt;
  return Point{columnAt(column), rowAt(head.head)};
}

std::optional<Head> GraphLayout::headAt(Point at) const {
  if (layers_.empty() || !area_.contains(at)) return std::nullopt;
  const double column = std::floor((at.x - area_.x0 - x_) / columnPitch());
  const double row = std::floor((at.y - area_.y0 - y_) / rowPitch());
  if (column < 0 || row < 0 || column >= double(layers_.size())) return std::nullopt;
  const Head head{layers_[std::size_t(column)].layer, std::uint32_t(row)};
  const auto node = place(head);
  if (!node || std::hypot(at.x - node->x, at.y - node->y) > radius() + kReachOfNode) return std::nullopt;
  return head;
}

// A cubic that leaves and arrives flat; bent to one side, to the other, or a little, by the kind, so that an
// edge along a row passes beside the nodes between.
Curve GraphLayout::curveOf(const core::CompositionEdge& edge) const {
  const Point from = place(writerOf(edge)).value_or(Point{}), to = place(readerOf(edge)).value_or(Point{});
  constexpr std::array<double, kKinds> kBend = {-0.46, 0.46, -0.22};
  const double across = to.x - from.x;
  const double layers = across / columnPitch();
  const double bend = kBend[std::size_t(edge.through)] * rowPitch() * (0.8 + 0.2 * std::min(layers, 4.0));
  const Point first{from.x + 0.35 * across, from.y + bend}, second{to.x - 0.35 * across, to.y + bend};
  Curve curve;
  for (std::size_t i = 0; i < kCurvePoints; ++i) {
    const double t = double(i) / double(kCurvePoints - 1), s = 1 - t;
    const auto mixed = [&](double a, double b, double c, double d) {
      return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d;
    };
    curve[i] = {mixed(from.x, first.x, second.x, to.x), mixed(from.y, first.y, second.y, to.y)};
  }
  return curve;
}

void GraphLayout::zoomAt(Point at, double factor) {
  const double zoom = std::clamp(zoom_ * factor, 1.0, kMostZoom), by = zoom / zoom_;
  x_ = at.x - area_.x0 - (at.x - area_.x0 - x_) * by;
  y_ = at.y - area_.y0 - (at.y - area_.y0 - y_) * by;
  zoom_ = zoom;
  clamp();
}

void GraphLayout::panBy(double x, double y) {
  x_ += x;
  y_ += y;
  clamp();
}

void GraphLayout::fit() {
  zoom_ = 1;
  x_ = y_ = 0;
}

// No empty room at an end.
void GraphLayout::clamp() {
  x_ = std::clamp(x_, area_.width() * (1 - zoom_), 0.0);
  y_ = std::clamp(y_, area_.height() * (1 - zoom_), 0.0);
}

}  // namespace vitrine::ui::spectra
