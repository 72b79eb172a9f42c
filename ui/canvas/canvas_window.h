// A canvas in a window: a plain QWindow with a Vulkan surface and its own swapchain on the engine's device.
// Draws only when something changed, at most at the rate of the display, and never waits for the device:
// while an earlier frame is still behind the engine's work, the next one is drawn a little later.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "gpu/swapchain.h"
#include "ui/canvas/canvas.h"

#include <QTimer>
#include <QWindow>

namespace vitrine::ui {

class CanvasWindow : public QWindow {
  Q_OBJECT

 public:
  // `instance`: see wrapInstance(); must outlive the window, like the device.
  static Result<CanvasWindow*> create(gpu::Device& device, QVulkanInstance& instance, const Theme& theme);
  ~CanvasWindow() override;

  Canvas& canvas() { return *canvas_; }
  // Draws soon. Cheap: many calls give one frame.
  void wake();
  // What is on the canvas, in device pixels.
  Result<QImage> grab();

  // Frames drawn so far, and the time from the newest input to the submission of its frame: for tests and
  // status.
  std::uint64_t frames() const { return frames_; }
  double inputLatencyMs() const { return input_latency_ms_; }

 signals:
  void drawn();                      // after each frame
  void failed(const QString& what);  // drawing stopped: the device is lost or the surface unusable

 protected:
  bool event(QEvent* event) override;
  void exposeEvent(QExposeEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  CanvasWindow(gpu::Device& device, std::unique_ptr<Canvas> canvas);
  void drawFrame();
  Result<bool> tryDraw();  // false: not now, ask again
  void releaseSurface();
  bool handleKey(QEvent* event);
  void noteInput();
  VkExtent2D pixelSize() const;

  gpu::Device& device_;
  std::unique_ptr<Canvas> canvas_;
  std::unique_ptr<gpu::Swapchain> swapchain_;
  QTimer retry_;
  int frames_wanted_ = 0;
  bool stopped_ = false;
  std::uint64_t frames_ = 0;
  double input_latency_ms_ = 0;
  std::chrono::steady_clock::time_point oldest_input_{};
  bool input_waits_ = false;
};

}  // namespace vitrine::ui
