#include "ui/canvas/draw_text.h"

#include <cmath>

namespace vitrine::ui {
namespace {

float snap(float value) {
  const float ratio = 1 / ImGui::GetIO().FontGlobalScale;
  return std::round(value * ratio) / ratio;
}

float startOf(float x, float width, Align align) {
  return x - (align == Align::kLeft ? 0 : align == Align::kCenter ? width / 2 : width);
}

}  // namespace

ImVec2 textSize(ImFont* font, std::string_view text) {
  const float size = font->FontSize * ImGui::GetIO().FontGlobalScale;
  return font->CalcTextSizeA(size, 1e9f, 0, text.data(), text.data() + text.size());
}

void drawText(ImDrawList& list, ImFont* font, ImVec2 at, Align align, Rgba color, std::string_view text) {
  const ImVec2 extent = textSize(font, text);
  const ImVec2 corner{snap(startOf(at.x, extent.x, align)), snap(at.y - extent.y / 2)};
  list.AddText(font, font->FontSize * ImGui::GetIO().FontGlobalScale, corner, color.abgr(), text.data(),
               text.data() + text.size());
}

float drawLabel(ImDrawList& list, CanvasFrame& frame, ImVec2 at, Align align, const LabelStyle& style,
                const std::string& text) {
  const Label label = frame.labels.get(text, style.size, style.max_width, style.font);
  if (label.width == 0) return 0;
  const ImVec2 low{snap(startOf(at.x, label.width, align)), snap(at.y - label.height / 2)};
  list.AddImage(frame.labels.texture(), low, {low.x + label.width, low.y + label.height}, label.uv0,
                label.uv1, style.color.abgr());
  return label.width;
}

float drawLabelDown(ImDrawList& list, CanvasFrame& frame, ImVec2 top, const LabelStyle& style,
                    const std::string& text) {
  const Label label = frame.labels.get(text, style.size, style.max_width, style.font);
  if (label.width == 0) return 0;
  const float right = snap(top.x + label.height / 2), left = right - label.height;
  const float y0 = snap(top.y), y1 = y0 + label.width;
  // The label's upper left corner comes to the upper right.
  list.AddImageQuad(frame.labels.texture(), {right, y0}, {right, y1}, {left, y1}, {left, y0}, label.uv0,
                    {label.uv1.x, label.uv0.y}, label.uv1, {label.uv0.x, label.uv1.y}, style.color.abgr());
  return label.width;
}

}  // namespace vitrine::ui
