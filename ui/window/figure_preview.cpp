#include "ui/window/figure_preview.h"

#include <QPainter>

namespace vitrine::ui {
namespace {

constexpr int kMargin = 24;

}  // namespace

FigurePreview::FigurePreview(QImage image, const QString& caption, QWidget* parent)
    : QDialog(parent), image_(std::move(image)) {
  setObjectName("figure_preview");
  setWindowTitle(caption);
  const QSize room = parent->window()->size() - QSize(64, 96);
  const QSize wanted = image_.size() / devicePixelRatioF() + QSize(2 * kMargin, 2 * kMargin);
  resize(wanted.boundedTo(room));
}

void FigurePreview::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), Qt::white);
  const QRect room = rect().adjusted(kMargin, kMargin, -kMargin, -kMargin);
  QSize size = image_.size() / devicePixelRatioF();
  if (size.width() > room.width() || size.height() > room.height())
    size.scale(room.size(), Qt::KeepAspectRatio);
  QRect place(QPoint(), size);
  place.moveCenter(rect().center());
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  painter.drawImage(place, image_);
}

}  // namespace vitrine::ui
