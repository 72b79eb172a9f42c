// Strokes, texts and bars of the head graph.
#pragma once

#include "ui/views/panel.h"
#include "ui/views/spectra/head_graph_layout.h"

namespace vitrine::ui::spectra {

inline constexpr std::array kGraphKinds = {core::CompositionThrough::kQuery, core::CompositionThrough::kKey,
                                           core::CompositionThrough::kValue};

// Query amber and key green as everywhere, value the accent; a solid, a dashed and a dotted line.
Rgba kindColor(const Theme& theme, core::CompositionThrough kind);
std::string_view formulaOf(core::CompositionThrough kind);
std::string arrowText(const core::CompositionEdge& edge);  // "3.1 → 5.0"

void strokeCurve(ImDrawList& list, const Curve& curve, Rgba color, float width,
                 core::CompositionThrough kind);
void strokeLine(ImDrawList& list, ImVec2 from, ImVec2 to, Rgba color, float width,
                core::CompositionThrough kind);

void graphText(CanvasFrame& frame, ImVec2 at, Align align, Rgba color, const std::string& text,
               double width = 300, int size = 11);
void graphDownText(CanvasFrame& frame, double x, double middle, double room, Rgba color,
                   const std::string& text);

// A bar a component of the earlier head's OV, as high as its own score; lines for the edge's score and for
// chance.
void drawComponentBars(CanvasFrame& frame, const Rect& area, const core::ComponentChannel& channel,
                       double chance, double edge, Rgba color);

}  // namespace vitrine::ui::spectra
