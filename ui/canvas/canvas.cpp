#include "ui/canvas/canvas.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vitrine::ui {
namespace {

constexpr VkFormat kOffscreenFormat = VK_FORMAT_R8G8B8A8_UNORM;
constexpr double kLongestStep = 0.1;  // seconds: an animation does not jump after a pause

Qt::CursorShape cursorShape(ImGuiMouseCursor cursor) {
  switch (cursor) {
    case ImGuiMouseCursor_ResizeEW:
      return Qt::SplitHCursor;
    case ImGuiMouseCursor_ResizeAll:
      return Qt::ClosedHandCursor;
    case ImGuiMouseCursor_Hand:
      return Qt::PointingHandCursor;
    default:
      return Qt::ArrowCursor;
  }
}

}  // namespace

Result<std::unique_ptr<Canvas>> Canvas::create(gpu::Device& device, const Theme& theme) {
  std::unique_ptr<Canvas> canvas(new Canvas(device));
  canvas->context_ = ImGui::CreateContext();
  ImGui::SetCurrentContext(canvas->context_);
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;  // the window keeps the layout
  io.LogFilename = nullptr;
  io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset | ImGuiBackendFlags_HasMouseCursors;
  io.ConfigWindowsMoveFromTitleBarOnly = true;
  canvas->setTheme(theme);
  TRY_ASSIGN(canvas->renderer_, DrawRenderer::create(device));
  TRY_ASSIGN(canvas->labels_, LabelCache::create(device, *canvas->renderer_));
  return canvas;
}

Canvas::~Canvas() {
  if (context_) ImGui::DestroyContext(context_);
}

void Canvas::setTheme(const Theme& theme) {
  theme_ = themeOf(theme.appearance);
  zoom_ = theme.zoom;
  ImGui::SetCurrentContext(context_);
  applyStyle(theme_, ImGui::GetStyle());
}

void Canvas::buildFrame(CanvasFrame& frame) {
  ImGui::NewFrame();
  const auto flags = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                     ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBringToFrontOnFocus |
                     ImGuiWindowFlags_NoScrollWithMouse | ImGuiWindowFlags_NoBackground;
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(frame.size);
  ImGui::Begin("canvas", nullptr, flags);
  if (content_) content_->draw(frame);
  ImGui::End();
  ImGui::Render();
}

Result<FrameResult> Canvas::frame(const DrawTarget& target, ImVec2 size, double pixel_ratio) {
  size = {float(size.x / zoom_), float(size.y / zoom_)};
  pixel_ratio *= zoom_;
  ImGui::SetCurrentContext(context_);
  TRY(fonts_.prepare(device_, *renderer_, theme_.fonts, pixel_ratio));
  ImGuiIO& io = ImGui::GetIO();
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - std::exchange(last_frame_, now)).count();
  io.DeltaTime = float(std::clamp(seconds, 1e-4, 1.0));
  io.DisplaySize = size;
  io.DisplayFramebufferScale = {float(target.width / size.x), float(target.height / size.y)};

  CanvasFrame frame{.renderer = *renderer_,
                    .labels = *labels_,
                    .fonts = fonts_,
                    .theme = theme_,
                    .size = size,
                    .pixel_ratio = pixel_ratio,
                    .seconds = std::min(seconds, kLongestStep),
                    .keys = input_.takeKeys()};
  if (labels_->beginFrame(pixel_ratio, theme_.fonts)) frame.again();
  if (input_.apply(io, zoom_)) frame.again();
  buildFrame(frame);
  TRY_ASSIGN(const std::uint64_t done, renderer_->render(*ImGui::GetDrawData(), target));
  const ImGuiMouseCursor cursor =
      frame.cursor != ImGuiMouseCursor_Arrow ? frame.cursor : ImGui::GetMouseCursor();
  return FrameResult{done, frame.again_in, cursorShape(cursor)};
}

Result<FrameResult> Canvas::offscreenFrame(QSize size, double pixel_ratio) {
  const auto width = std::uint32_t(std::lround(size.width() * pixel_ratio));
  const auto height = std::uint32_t(std::lround(size.height() * pixel_ratio));
  if (width == 0 || height == 0)
    return fail(ErrorCode::kInvalidArgument, "an image of {} x {} pixels has no content", width, height);
  if (offscreen_.width() != width || offscreen_.height() != height) {
    TRY_ASSIGN(offscreen_, gpu::Image::create(device_, width, height, kOffscreenFormat, "canvas image"));
  }
  const DrawTarget target{.image = offscreen_.handle(),
                          .view = offscreen_.view(),
                          .format = kOffscreenFormat,
                          .after = VK_IMAGE_LAYOUT_GENERAL,
                          .width = width,
                          .height = height,
                          .clear = theme_.colors.canvas};
  return frame(target, {float(size.width()), float(size.height())}, pixel_ratio);
}

Result<QImage> Canvas::image(QSize size, double pixel_ratio) {
  TRY_ASSIGN(const FrameResult drawn, offscreenFrame(size, pixel_ratio));
  TRY(device_.wait(drawn.done));
  TRY_ASSIGN(const gpu::Buffer pixels, gpu::Buffer::create(device_, offscreen_.bytes(),
                                                           gpu::MemoryKind::kReadback, "canvas screenshot"));
  TRY_ASSIGN(gpu::Commands commands, gpu::Commands::create(device_, "canvas screenshot"));
  TRY(commands.begin());
  commands.barrier();
  commands.copyFromImage(offscreen_, pixels);
  commands.hostBarrier();
  TRY(commands.end());
  TRY(commands.submitAndWait());
  QImage image(reinterpret_cast<const uchar*>(pixels.mapped().data()), int(offscreen_.width()),
               int(offscreen_.height()), int(offscreen_.width()) * 4, QImage::Format_RGBA8888);
  image = image.convertToFormat(QImage::Format_RGB32);  // a copy; the buffer goes
  image.setDevicePixelRatio(pixel_ratio);
  return image;
}

}  // namespace vitrine::ui
