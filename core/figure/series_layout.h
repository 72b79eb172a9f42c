// Lines, bars, their legend, and annotations, inside a plot area.
#pragma once

#include "core/figure/axis_layout.h"
#include "core/figure/figure.h"
#include "core/figure/layout_context.h"

namespace vitrine::core {

struct PlotArea {
  Rect box;
  AxisMap x, y;
};

struct DataRange {
  double low = 0, high = -1;  // low > high: no data
  void include(double value, AxisScale scale);
};

// The extent of the data along each axis; on a log axis only what is above zero counts.
DataRange horizontalRange(const Panel& panel);
DataRange verticalRange(const Panel& panel);
std::size_t categoryCount(const Panel& panel);  // of a panel with bars or category labels

// Points that a log axis cannot show.
std::size_t pointsLeftOut(const Panel& panel);

void layoutLines(DrawingBuilder& out, const Panel& panel, const PlotArea& area);
void layoutBars(DrawingBuilder& out, const Panel& panel, const PlotArea& area);
void layoutAnnotations(DrawingBuilder& out, const Panel& panel, const PlotArea& area,
                       const LayoutContext& context);

// Above the plot, `distance` from its edge, growing upwards. Nothing for fewer than two series. Returns its
// height.
double layoutLegend(DrawingBuilder& out, const Panel& panel, const Rect& plot, double distance,
                    const LayoutContext& context);

}  // namespace vitrine::core
