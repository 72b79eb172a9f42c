#include "ui/widgets/bar_list.h"

#include "ui/widgets/format.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace vitrine::ui {

BarList::BarList(const ThemeController& theme, Color color, int rows, QWidget* parent)
    : QWidget(parent), theme_(theme), color_(color), capacity_(rows) {
  setMouseTracking(true);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&theme_, &ThemeController::changed, this, [this] { updateGeometry(); });
}

void BarList::setRows(std::vector<BarRow> rows) {
  if (int(rows.size()) > capacity_) rows.resize(std::size_t(capacity_));
  rows_ = std::move(rows);
  if (hovered_row_ >= int(rows_.size())) setHoveredRow(-1);
  update();
}

void BarList::setPlaceholder(QString text) {
  if (text == placeholder_) return;
  placeholder_ = std::move(text);
  update();
}

QSize BarList::sizeHint() const {
  return {theme_.sizes().right_dock - 24, capacity_ * theme_.sizes().row};
}
QSize BarList::minimumSizeHint() const {
  return {theme_.sizes().right_dock / 2, capacity_ * theme_.sizes().row};
}

int BarList::rowAt(int y) const {
  const int row = y / theme_.sizes().row;
  return row >= 0 && row < int(rows_.size()) ? row : -1;
}

void BarList::setHoveredRow(int row) {
  if (row == hovered_row_) return;
  hovered_row_ = row;
  update();
  emit hovered(row);
}

void BarList::mouseMoveEvent(QMouseEvent* event) {
  setHoveredRow(rowAt(event->position().toPoint().y()));
}
void BarList::leaveEvent(QEvent*) {
  setHoveredRow(-1);
}

void BarList::mousePressEvent(QMouseEvent* event) {
  const int row = rowAt(event->position().toPoint().y());
  if (row >= 0 && event->button() == Qt::LeftButton) emit clicked(row);
}

bool BarList::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const int row = rowAt(help->pos().y());
    if (row >= 0 && !rows_[std::size_t(row)].tooltip.isEmpty())
      QToolTip::showText(help->globalPos(), rows_[std::size_t(row)].tooltip, this);
    else
      QToolTip::hideText();
    return true;
  }
  return QWidget::event(event);
}

void BarList::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  if (rows_.empty()) {
    painter.setFont(theme_.interfaceFont());
    painter.setPen(toQt(theme_.colors().text_secondary));
    painter.drawText(rect().adjusted(0, 0, 0, -height() + theme_.sizes().row),
                     Qt::AlignLeft | Qt::AlignVCenter, placeholder_);
    return;
  }
  painter.setFont(theme_.monoFont());
  for (int row = 0; row < int(rows_.size()); ++row) paintRow(painter, row);
}

// Columns: label to 34 % of the width, note, value, bar in what is left.
void BarList::paintRow(QPainter& painter, int row) {
  const Colors& colors = theme_.colors();
  const int step = theme_.sizes().step, height = theme_.sizes().row;
  const BarRow& content = rows_[std::size_t(row)];
  const QRect line(0, row * height, width(), height);
  if (row == hovered_row_ || content.marked) {
    painter.setPen(Qt::NoPen);
    painter.setBrush(toQt(content.marked ? colors.pressed : colors.hover));
    painter.drawRoundedRect(line.adjusted(-step, 1, step, -1), theme_.sizes().corner, theme_.sizes().corner);
  }
  const QFontMetrics metrics = painter.fontMetrics();
  const bool has_notes =
      std::any_of(rows_.begin(), rows_.end(), [](const BarRow& r) { return !r.note.isEmpty(); });
  const int note_width = has_notes ? metrics.horizontalAdvance("00000") : 0;
  const int value_width = metrics.horizontalAdvance("0.0e-00");
  const int label_width = width() * 34 / 100;
  painter.setPen(toQt(colors.text));
  painter.drawText(QRect(0, line.top(), label_width, height), Qt::AlignLeft | Qt::AlignVCenter,
                   metrics.elidedText(content.label, Qt::ElideMiddle, label_width));
  int x = label_width;
  painter.setPen(toQt(colors.text_secondary));
  painter.drawText(QRect(x, line.top(), note_width, height), Qt::AlignRight | Qt::AlignVCenter, content.note);
  x += note_width;
  painter.setPen(toQt(colors.text));
  painter.drawText(QRect(x, line.top(), value_width, height), Qt::AlignRight | Qt::AlignVCenter,
                   probabilityText(content.value));
  x += value_width + step * 2;
  const double length = std::clamp(content.value, 0.0, 1.0) * std::max(0, width() - x);
  painter.setPen(Qt::NoPen);
  painter.setBrush(toQt(color_ == Color::kKey ? colors.key : colors.accent));
  if (length > 0.5) painter.drawRect(QRectF(x, line.center().y() - step + 1, length, step * 2));
}

}  // namespace vitrine::ui
