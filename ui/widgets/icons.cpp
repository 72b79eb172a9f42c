#include "ui/widgets/icons.h"

#include <QPainter>
#include <QPainterPath>
#include <QStyleOptionToolButton>

#include <utility>

namespace vitrine::ui {
namespace {

// All paths live in a square of 16 x 16.
QPainterPath triangle(double left, double right) {
  QPainterPath path;
  path.moveTo(left, 3);
  path.lineTo(right, 8);
  path.lineTo(left, 13);
  path.closeSubpath();
  return path;
}

QPainterPath filledPath(Icon icon) {
  QPainterPath path;
  switch (icon) {
    case Icon::kPlay:
      return triangle(4.5, 13);
    case Icon::kPause:
      path.addRect(4, 3, 3, 10);
      path.addRect(9, 3, 3, 10);
      return path;
    case Icon::kNext:
      return triangle(5, 11.5);
    case Icon::kPrevious:
      return triangle(11, 4.5);
    case Icon::kLast:
      path = triangle(3.5, 10);
      path.addRect(10.5, 3, 2, 10);
      return path;
    case Icon::kFirst:
      path = triangle(12.5, 6);
      path.addRect(3.5, 3, 2, 10);
      return path;
    case Icon::kDice:
      for (auto [x, y] : {std::pair{5.5, 5.5}, {10.5, 10.5}, {8.0, 8.0}})
        path.addEllipse(QPointF(x, y), 1.1, 1.1);
      return path;
    default:
      return path;
  }
}

QPainterPath strokedPath(Icon icon) {
  QPainterPath path;
  switch (icon) {
    case Icon::kClose:
      path.moveTo(4.5, 4.5);
      path.lineTo(11.5, 11.5);
      path.moveTo(11.5, 4.5);
      path.lineTo(4.5, 11.5);
      break;
    case Icon::kFloat:
      path.addRect(QRectF(3.5, 6.5, 6, 6));
      path.moveTo(6.5, 6.5);
      path.lineTo(6.5, 3.5);
      path.lineTo(12.5, 3.5);
      path.lineTo(12.5, 9.5);
      path.lineTo(9.5, 9.5);
      break;
    case Icon::kDice:
      path.addRoundedRect(QRectF(2.5, 2.5, 11, 11), 2, 2);
      break;
    case Icon::kFolder:
      path.moveTo(2.5, 12.5);
      path.lineTo(2.5, 4.5);
      path.lineTo(6.5, 4.5);
      path.lineTo(8, 6);
      path.lineTo(13.5, 6);
      path.lineTo(13.5, 12.5);
      path.closeSubpath();
      break;
    case Icon::kReset:
      path.arcMoveTo(QRectF(3, 3, 10, 10), 150);
      path.arcTo(QRectF(3, 3, 10, 10), 150, -290);
      path.moveTo(3.2, 2.5);
      path.lineTo(3.6, 6.2);
      path.lineTo(7.2, 5.4);
      break;
    default:
      break;
  }
  return path;
}

}  // namespace

void paintIcon(QPainter& painter, Icon icon, const QRectF& square, const QColor& color) {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.translate(square.topLeft());
  painter.scale(square.width() / 16, square.height() / 16);
  painter.fillPath(filledPath(icon), color);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(color, 1.2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.drawPath(strokedPath(icon));
  painter.restore();
}

IconButton::IconButton(const ThemeController& theme, Icon icon, QString tooltip, QWidget* parent)
    : QToolButton(parent), theme_(theme), icon_(icon) {
  setToolTip(tooltip);
  setAccessibleName(tooltip);
  setFocusPolicy(Qt::TabFocus);
  connect(&theme_, &ThemeController::changed, this, [this] { updateGeometry(); });
}

void IconButton::setGlyph(Icon icon) {
  if (icon == icon_) return;
  icon_ = icon;
  update();
}

QSize IconButton::sizeHint() const {
  return {theme_.sizes().control, theme_.sizes().control};
}

void IconButton::paintEvent(QPaintEvent* event) {
  QToolButton::paintEvent(event);
  QPainter painter(this);
  const Colors& colors = theme_.colors();
  const Rgba color = !isEnabled() ? colors.text_disabled : underMouse() ? colors.text : colors.text_secondary;
  const int side = theme_.sizes().step * 4;
  QRect square(0, 0, side, side);
  square.moveCenter(rect().center());
  paintIcon(painter, icon_, square, toQt(color));
}

}  // namespace vitrine::ui
