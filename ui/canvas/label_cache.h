// Text of any script on the canvas: Qt shapes and rasterizes a label once (right-to-left, CJK, emoji, the
// same fonts as the widgets around the canvas), and it stays in a texture that the canvas draws upright or
// turned.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "gpu/error.h"
#include "ui/canvas/draw_renderer.h"
#include "ui/canvas/texture.h"
#include "ui/theme/tokens.h"

namespace vitrine::ui {

enum class LabelFont { kMono, kInterface };  // tokens; sentences with names in any script

struct Label {
  float width = 0, height = 0;  // logical pixels
  ImVec2 uv0, uv1;
};

class LabelCache {
 public:
  static Result<std::unique_ptr<LabelCache>> create(gpu::Device& device, DrawRenderer& renderer);

  // Before the first label of a frame: starts over when the texture was full or the pixel ratio changed.
  // Returns whether labels were missing from the last frame, which is then worth drawing again.
  bool beginFrame(double pixel_ratio, const Fonts& fonts);

  // `text`: UTF-8; longer than `max_width` logical pixels, it is elided in the middle. Empty when there is no
  // room left in this frame.
  Label get(const std::string& text, int pixel_size, float max_width, LabelFont font = LabelFont::kMono);

  ImTextureID texture() { return &texture_; }

 private:
  struct Key {
    std::string text;
    int pixel_size = 0, max_width = 0;
    LabelFont font = LabelFont::kMono;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  explicit LabelCache(DrawRenderer& renderer) : renderer_(renderer) {}
  Label rasterize(const Key& key);

  DrawRenderer& renderer_;
  CanvasTexture texture_;
  std::unordered_map<Key, Label, KeyHash> labels_;
  Fonts fonts_;
  double pixel_ratio_ = 1;
  std::uint32_t shelf_x_ = 0, shelf_y_ = 0, shelf_height_ = 0;  // labels stand on shelves from left to right
  bool full_ = false;
};

}  // namespace vitrine::ui
