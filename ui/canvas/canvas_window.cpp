#include "ui/canvas/canvas_window.h"
#include "gpu/log.h"

#include <algorithm>
#include <cmath>

#include <QExposeEvent>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QPlatformSurfaceEvent>
#include <QVulkanInstance>

namespace vitrine::ui {
namespace {

constexpr int kFramesAfterInput = 3;  // Dear ImGui settles: hover states a frame later, a new popup two
constexpr std::chrono::milliseconds kRetry{4}, kSoftwareContentInterval{50};

}  // namespace

Result<CanvasWindow*> CanvasWindow::create(gpu::Device& device, QVulkanInstance& instance,
                                           const Theme& theme) {
  TRY_ASSIGN(std::unique_ptr<Canvas> canvas, Canvas::create(device, theme));
  auto* window = new CanvasWindow(device, std::move(canvas));
  window->setVulkanInstance(&instance);
  return window;
}

CanvasWindow::CanvasWindow(gpu::Device& device, std::unique_ptr<Canvas> canvas)
    : device_(device), canvas_(std::move(canvas)) {
  setSurfaceType(QSurface::VulkanSurface);
  later_.setSingleShot(true);
  connect(&later_, &QTimer::timeout, this, &CanvasWindow::drawFrame);
}

CanvasWindow::~CanvasWindow() {
  releaseSurface();
}

void CanvasWindow::wake(Reason reason) {
  if (!isExposed() || stopped_) return;
  const auto since = std::chrono::steady_clock::now() - last_drawn_;
  if (reason == Reason::kContent && device_.info().software && since < kSoftwareContentInterval)
    drawIn(std::chrono::ceil<std::chrono::milliseconds>(kSoftwareContentInterval - since));
  else
    requestUpdate();
}

void CanvasWindow::drawIn(std::chrono::milliseconds delay) {
  if (!later_.isActive() || later_.remainingTimeAsDuration() > delay) later_.start(delay);
}

Result<QImage> CanvasWindow::grab() {
  if (width() <= 0 || height() <= 0)
    return fail(ErrorCode::kInvalidArgument, "the canvas has no size: show the window first");
  return canvas_->image(size(), devicePixelRatio());
}

VkExtent2D CanvasWindow::pixelSize() const {
  const auto pixels = [ratio = devicePixelRatio()](int logical) {
    return std::uint32_t(std::max(0L, std::lround(logical * ratio)));
  };
  return {pixels(width()), pixels(height())};
}

void CanvasWindow::releaseSurface() {
  if (!swapchain_) return;
  // The surface goes with the platform window, so nothing may be in flight on it.
  if (const auto idle = device_.waitIdle(); !idle)
    logWarning(fmt::format("closing the canvas: {}", idle.error().describe()));
  swapchain_.reset();
}

void CanvasWindow::exposeEvent(QExposeEvent*) {
  if (isExposed()) wake();
}

void CanvasWindow::resizeEvent(QResizeEvent*) {
  if (swapchain_) swapchain_->resize(pixelSize());
  wake();
}

void CanvasWindow::noteInput() {
  if (!std::exchange(input_waits_, true)) oldest_input_ = std::chrono::steady_clock::now();
  input_frames_ = kFramesAfterInput;
  wake(Reason::kInput);
}

bool CanvasWindow::handleKey(QEvent* event) {
  const auto* key = static_cast<QKeyEvent*>(event);
  const KeyPress press{key->key(), key->modifiers()};
  if (!canvas_->content() || !canvas_->content()->wantsKey(press)) return false;
  event->accept();
  if (event->type() == QEvent::KeyPress) {
    canvas_->input().addKey(press);
    noteInput();
  }
  return true;
}

bool CanvasWindow::event(QEvent* event) {
  switch (event->type()) {
    case QEvent::UpdateRequest:
      drawFrame();
      return true;
    case QEvent::PlatformSurface:
      if (static_cast<QPlatformSurfaceEvent*>(event)->surfaceEventType() ==
          QPlatformSurfaceEvent::SurfaceAboutToBeDestroyed)
        releaseSurface();
      break;
    case QEvent::ShortcutOverride:
    case QEvent::KeyPress:
      if (handleKey(event)) return true;
      break;
    case QEvent::MouseButtonPress:
      requestActivate();
      [[fallthrough]];
    default:
      if (canvas_ && canvas_->input().add(*event)) noteInput();
      break;
  }
  return QWindow::event(event);
}

void CanvasWindow::drawFrame() {
  if (stopped_ || !isExposed()) return;
  const auto drawn_now = tryDraw();
  if (!drawn_now) {
    stopped_ = true;
    logError(fmt::format("drawing the canvas: {}", drawn_now.error().describe()));
    emit failed(QString::fromStdString(drawn_now.error().describe()));
    return;
  }
  if (!*drawn_now) {
    drawIn(kRetry);
    return;
  }
  last_drawn_ = std::chrono::steady_clock::now();
  if (input_frames_ > 0) --input_frames_;
  if (input_frames_ > 0 || again_in_ == 0.0)
    requestUpdate();
  else if (again_in_)
    drawIn(std::chrono::milliseconds(std::lround(*again_in_ * 1000)));
  emit drawn();
}

Result<bool> CanvasWindow::tryDraw() {
  const VkExtent2D pixels = pixelSize();
  if (pixels.width == 0 || pixels.height == 0) return true;
  if (!swapchain_) {
    const VkSurfaceKHR surface = QVulkanInstance::surfaceForWindow(this);
    if (!surface)
      return fail(ErrorCode::kUnsupported, "the window system gave no Vulkan surface for the canvas");
    TRY_ASSIGN(swapchain_, gpu::Swapchain::create(device_, surface, pixels));
  }
  TRY_ASSIGN(const bool ready, canvas_->ready());
  if (!ready) return false;
  TRY_ASSIGN(const std::optional<gpu::Frame> frame, swapchain_->acquire());
  if (!frame) return false;
  const DrawTarget target{.image = frame->image,
                          .view = frame->view,
                          .format = swapchain_->format(),
                          .after = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
                          .width = frame->extent.width,
                          .height = frame->extent.height,
                          .clear = canvas_->theme().colors.canvas,
                          .wait = frame->acquired,
                          .signal = frame->drawn};
  TRY_ASSIGN(const FrameResult result,
             canvas_->frame(target, {float(width()), float(height())}, devicePixelRatio()));
  TRY(swapchain_->present(*frame));
  again_in_ = result.again_in;
  if (cursor().shape() != result.cursor) setCursor(result.cursor);
  ++frames_;
  if (std::exchange(input_waits_, false))
    input_latency_ms_ =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - oldest_input_).count();
  return true;
}

}  // namespace vitrine::ui
