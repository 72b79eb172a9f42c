// Text on the canvas beside Dear ImGui's widgets: numbers in the atlas's fonts, tokens through the label
// cache.
#pragma once

#include <imgui.h>

#include <string>
#include <string_view>

#include "ui/canvas/canvas.h"

namespace vitrine::ui {

enum class Align { kLeft, kCenter, kRight };

// One line; `x` is its left, middle or right, `y` its vertical middle. Logical pixels, snapped to device
// pixels.
void drawText(ImDrawList& list, ImFont* font, ImVec2 at, Align align, Rgba color, std::string_view text);
ImVec2 textSize(ImFont* font, std::string_view text);

// A token of any script, elided in the middle at `max_width`. Returns its width.
struct LabelStyle {
  int size = 12;
  float max_width = 200;
  Rgba color;
  LabelFont font = LabelFont::kMono;
};
float drawLabel(ImDrawList& list, CanvasFrame& frame, ImVec2 at, Align align, const LabelStyle& style,
                const std::string& text);
// Turned clockwise by a quarter: reads downwards from `top`, its middle line at x.
float drawLabelDown(ImDrawList& list, CanvasFrame& frame, ImVec2 top, const LabelStyle& style,
                    const std::string& text);

}  // namespace vitrine::ui
