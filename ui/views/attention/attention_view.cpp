#include "ui/views/attention/attention_view.h"

#include <spdlog/spdlog.h>

namespace vitrine::ui {

Result<std::unique_ptr<AttentionView>> AttentionView::create(gpu::Device& device, QVulkanInstance& instance,
                                                             Selection& selection, ViewSettings& settings,
                                                             const Theme& theme) {
  auto content = std::make_unique<attention::AttentionContent>(device, selection, settings);
  TRY_ASSIGN(CanvasWindow * window, CanvasWindow::create(device, instance, theme));
  std::unique_ptr<AttentionView> view(new AttentionView(window, std::move(content)));
  const auto wake = [window] { window->wake(); };
  connect(&selection, &Selection::headChanged, window, wake);
  connect(&selection, &Selection::hoveredHeadChanged, window, wake);
  connect(&selection, &Selection::cellChanged, window, wake);
  connect(&settings, &ViewSettings::changed, window, wake);
  return view;
}

AttentionView::AttentionView(CanvasWindow* window, std::unique_ptr<attention::AttentionContent> content)
    : content_(std::move(content)), window_(window) {
  window_->canvas().setContent(content_.get());
  container_ = QWidget::createWindowContainer(window_);
  container_->setFocusPolicy(Qt::StrongFocus);
  container_->setMinimumSize(120, 120);
  connect(window_, &CanvasWindow::drawn, this, &AttentionView::publishProbes);
  content_->onWish([this](attention::Wish wish) {
    // After the frame: what the window does with it may draw, or close this view.
    QMetaObject::invokeMethod(
        this, [this, wish] { grant(wish); }, Qt::QueuedConnection);
  });
}

AttentionView::~AttentionView() {
  // The canvas may live on in the window that it was put into, without content.
  if (container_) window_->canvas().setContent(nullptr);
  if (container_ && !container_->parent()) delete container_;
}

void AttentionView::grant(attention::Wish wish) {
  switch (wish) {
    case attention::Wish::kOpenModel:
      emit openRequested();
      break;
    case attention::Wish::kWritePrompt:
      emit promptRequested();
      break;
    case attention::Wish::kCancelLoad:
      emit cancelLoadRequested();
      break;
    case attention::Wish::kCopyError:
      emit copyErrorRequested();
      break;
  }
}

void AttentionView::publishProbes() {
  if (probes_ == content_->probes()) return;
  probes_ = content_->probes();
  emit probesChanged();
}

void AttentionView::setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) {
  content_->setSnapshot(std::move(snapshot));
  window_->wake();
}

void AttentionView::setTheme(const Theme& theme) {
  window_->canvas().setTheme(theme);
  window_->wake();
}

QImage AttentionView::grabImage() {
  auto image = window_->grab();
  if (image) return *std::move(image);
  spdlog::error("picture of the canvas: {}", image.error().describe());
  return {};
}

void AttentionView::fit() {
  content_->viewport().fit();
  window_->wake();
}

void AttentionView::zoom(double factor) {
  content_->viewport().zoomAt(content_->viewport().plot().center(), factor);
  window_->wake();
}

void AttentionView::actualSize() {
  content_->viewport().setCellSize(1 / content_->viewport().pixelRatio());
  window_->wake();
}

}  // namespace vitrine::ui
