// The design tokens as Dear ImGui's style and fonts.
#pragma once

#include <imgui.h>

#include <memory>

#include "gpu/error.h"
#include "ui/canvas/draw_renderer.h"
#include "ui/canvas/texture.h"
#include "ui/theme/tokens.h"

namespace vitrine::ui {

void applyStyle(const Theme& theme, ImGuiStyle& style);

inline ImVec4 toImVec4(Rgba color) {
  const auto c = color.floats();
  return {c[0], c[1], c[2], c[3]};
}

// Latin text and numbers of Dear ImGui's widgets; tokens of any script go through LabelCache. Sizes are
// logical; glyphs are made for the pixel ratio at hand.
class CanvasFonts {
 public:
  // Makes the atlas anew when the pixel ratio or the font families changed; uploads it with the next frame.
  Result<void> prepare(gpu::Device& device, DrawRenderer& renderer, const Fonts& fonts, double pixel_ratio);

  ImFont* interface() const { return interface_; }
  ImFont* header() const { return header_; }  // 11: headers, axis numbers
  ImFont* mono() const { return mono_; }
  ImFont* monoSmall() const { return mono_small_; }  // 10: numbers in cells, captions

 private:
  ImFont *interface_ = nullptr, *header_ = nullptr, *mono_ = nullptr, *mono_small_ = nullptr;
  double pixel_ratio_ = 0;
  CanvasTexture texture_;
};

}  // namespace vitrine::ui
