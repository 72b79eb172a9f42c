// A canvas in a window: a plain QWindow with a Vulkan surface and its own swapchain on the engine's device.
// Draws only when something changed, at most at the rate of the display, and never waits for the device:
// while an earlier frame is still behind the engine's work, the next one is drawn a little later.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

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
  // Draws soon: many calls give one frame. On a software device new content waits a little, because drawing
  // it takes time from what makes it; inputs never wait.
  enum class Reason { kInput, kContent };
  void wake(Reason reason = Reason::kContent);
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
  void drawIn(std::chrono::milliseconds delay);
  Result<bool> tryDraw();  // false: not now, ask again
  void releaseSurface();
  bool handleKey(QEvent* event);
  void noteInput();
  VkExtent2D pixelSize() const;

  gpu::Device& device_;
  std::unique_ptr<Canvas> canvas_;
  std::unique_ptr<gpu::Swapchain> swapchain_;
  QTimer later_;
  int input_frames_ = 0;  // still to be drawn since the last input
  bool stopped_ = false;
  std::optional<double> again_in_;  // what the last frame asked for
  std::chrono::steady_clock::time_point last_drawn_{};
  std::uint64_t frames_ = 0;
  double input_latency_ms_ = 0;
  std::chrono::steady_clock::time_point oldest_input_{};
  bool input_waits_ = false;
};

}  // namespace vitrine::ui
