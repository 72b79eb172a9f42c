#include "ui/views/canvas_view.h"
#include "gpu/log.h"

namespace vitrine::ui {

Result<std::unique_ptr<CanvasView>> CanvasView::create(const Parts& parts, QString title,
                                                       std::unique_ptr<ViewContent> content) {
  TRY_ASSIGN(CanvasWindow * window, CanvasWindow::create(parts.device, parts.instance, parts.theme));
  std::unique_ptr<CanvasView> view(new CanvasView(std::move(title), window, std::move(content)));
  const auto wake = [window] { window->wake(); };
  connect(&parts.selection, &Selection::headChanged, window, wake);
  connect(&parts.selection, &Selection::hoveredHeadChanged, window, wake);
  connect(&parts.selection, &Selection::cellChanged, window, wake);
  connect(&parts.settings, &ViewSettings::changed, window, wake);
  return view;
}

CanvasView::CanvasView(QString title, CanvasWindow* window, std::unique_ptr<ViewContent> content)
    : title_(std::move(title)), content_(std::move(content)), window_(window) {
  window_->canvas().setContent(content_.get());
  container_ = QWidget::createWindowContainer(window_);
  container_->setFocusPolicy(Qt::StrongFocus);
  container_->setMinimumSize(120, 120);
  connect(window_, &CanvasWindow::drawn, this, &CanvasView::publishProbes);
  content_->onWish([this](Wish wish) {
    // After the frame: what the window does with it may draw, or close this view.
    QMetaObject::invokeMethod(
        this, [this, wish] { grant(wish); }, Qt::QueuedConnection);
  });
}

CanvasView::~CanvasView() {
  // The canvas may live on in the window that it was put into, without content.
  if (container_) window_->canvas().setContent(nullptr);
  if (container_ && !container_->parent()) delete container_;
}

void CanvasView::grant(Wish wish) {
  switch (wish) {
    case Wish::kOpenModel:
      emit openRequested();
      break;
    case Wish::kWritePrompt:
      emit promptRequested();
      break;
    case Wish::kCancelLoad:
      emit cancelLoadRequested();
      break;
    case Wish::kCopyError:
      emit copyErrorRequested();
      break;
  }
}

void CanvasView::publishProbes() {
  if (probes_ == content_->probes()) return;
  probes_ = content_->probes();
  emit probesChanged();
}

void CanvasView::setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) {
  content_->setSnapshot(std::move(snapshot));
  window_->wake();
}

void CanvasView::setTheme(const Theme& theme) {
  window_->canvas().setTheme(theme);
  window_->wake();
}

QImage CanvasView::grabImage() {
  auto image = window_->grab();
  if (image) return *std::move(image);
  logError(fmt::format("picture of the canvas: {}", image.error().describe()));
  return {};
}

void CanvasView::fit() {
  content_->fit();
  window_->wake();
}

void CanvasView::zoom(double factor) {
  content_->zoom(factor);
  window_->wake();
}

void CanvasView::actualSize() {
  content_->actualSize();
  window_->wake();
}

}  // namespace vitrine::ui
