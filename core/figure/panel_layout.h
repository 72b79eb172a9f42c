// One panel around a plot area whose top left corner is the origin.
#pragma once

#include "core/figure/figure.h"
#include "core/figure/layout_context.h"
#include "core/figure/value_scale.h"

namespace vitrine::core {

struct PanelDrawing {
  std::vector<Primitive> items;
  Rect bounds;  // of everything, around the plot area
  std::vector<std::string> notes;
};

struct PlotSize {
  double width = 0, height = 0;
};

// The lengths of vectors against each other, the number of vector cells; names the panel's index in errors.
Result<void> checkPanel(const Panel& panel, std::size_t index);

// The plot area that a panel wants within these limits: square cells, or the golden section.
PlotSize wantedPlot(const Panel& panel, double width, double max_height, const LayoutContext& context);

// The colours of the panel's heat map or thumbnails; defaults where it has none. Looks at every cell: once is
// enough.
Result<ResolvedColors> panelColors(const Panel& panel);

Result<PanelDrawing> layoutPanel(const Panel& panel, const ResolvedColors& colors, PlotSize size,
                                 const LayoutContext& context);

}  // namespace vitrine::core
