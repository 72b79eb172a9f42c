// Paints a laid-out figure with QPainter, in units of a hundredth of a point.
#pragma once

#include <QPainter>

#include "core/figure/drawing.h"
#include "core/figure/preset.h"

namespace vitrine::ui {

// Vector files hand their rasters to viewers, some of which smooth what they enlarge: there a small raster is
// repeated until a cell's edge is sharp anyway. An image file is painted at its final size and needs nothing.
enum class RasterDetail { kAsIs, kEnlarged };

void paintDrawing(QPainter& painter, const core::Drawing& drawing, const core::FigurePreset& preset,
                  RasterDetail detail);

}  // namespace vitrine::ui
