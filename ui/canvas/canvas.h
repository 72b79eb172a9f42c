// A surface that a view draws with Dear ImGui on the engine's device: context, fonts, style, input and
// renderer. It does not know whether its frames go to a window (CanvasWindow) or to an image (screenshots,
// tests, benchmarks). UI thread only.
#pragma once

#include <imgui.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "gpu/device.h"
#include "ui/canvas/draw_renderer.h"
#include "ui/canvas/input_queue.h"
#include "ui/canvas/label_cache.h"
#include "ui/canvas/style.h"
#include "ui/theme/tokens.h"

#include <QImage>
#include <QSize>

namespace vitrine::ui {

// What a view sees of the frame that it draws.
struct CanvasFrame {
  DrawRenderer& renderer;
  LabelCache& labels;
  const CanvasFonts& fonts;
  const Theme& theme;
  ImVec2 size;  // logical pixels
  double pixel_ratio = 1;
  double seconds = 0;  // since the last frame
  std::vector<KeyPress> keys;
  std::optional<double> again_in;  // seconds until the next frame is wanted; 0 while something moves
  ImGuiMouseCursor cursor = ImGuiMouseCursor_Arrow;

  void again(double seconds = 0) { again_in = std::min(again_in.value_or(seconds), seconds); }
};

class CanvasContent {
 public:
  virtual ~CanvasContent() = default;
  virtual void draw(CanvasFrame& frame) = 0;
  // Whether the view has a use for this key; others go on to the window's shortcuts.
  virtual bool wantsKey(const KeyPress& press) const = 0;
};

struct FrameResult {
  std::uint64_t done = 0;          // timeline value at which the frame is complete
  std::optional<double> again_in;  // seconds until another frame is wanted (animation, inputs still waiting)
  Qt::CursorShape cursor = Qt::ArrowCursor;
};

class Canvas {
 public:
  static Result<std::unique_ptr<Canvas>> create(gpu::Device& device, const Theme& theme);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  // The interface's zoom enlarges the canvas as a whole, as a finer screen would: views draw at 100 %.
  void setTheme(const Theme& theme);
  void setContent(CanvasContent* content) { content_ = content; }  // must outlive the canvas or be taken away
  CanvasContent* content() const { return content_; }
  const Theme& theme() const { return theme_; }
  gpu::Device& device() const { return device_; }
  InputQueue& input() { return input_; }

  // Whether frame() would not wait for an earlier one.
  Result<bool> ready() const { return renderer_->ready(); }
  // Lets the content draw a frame of `size` logical pixels into `target`.
  Result<FrameResult> frame(const DrawTarget& target, ImVec2 size, double pixel_ratio);
  // The same into an image, waiting for it.
  Result<QImage> image(QSize size, double pixel_ratio);
  // A frame into an image that is kept, not read back: for measuring.
  Result<FrameResult> offscreenFrame(QSize size, double pixel_ratio);
  double lastFrameMs() const { return renderer_->lastFrameMs(); }  // GPU time

 private:
  explicit Canvas(gpu::Device& device) : device_(device) {}
  void buildFrame(CanvasFrame& frame);

  gpu::Device& device_;
  Theme theme_;  // at 100 %
  double zoom_ = 1;
  ImGuiContext* context_ = nullptr;
  std::unique_ptr<DrawRenderer> renderer_;
  std::unique_ptr<LabelCache> labels_;
  CanvasFonts fonts_;
  InputQueue input_;
  CanvasContent* content_ = nullptr;
  gpu::Image offscreen_;
  std::chrono::steady_clock::time_point last_frame_ = std::chrono::steady_clock::now();
};

}  // namespace vitrine::ui
