#include "ui/widgets/fact_list.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace vitrine::ui {

FactList::FactList(const ThemeController& theme, QWidget* parent) : QWidget(parent), theme_(theme) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&theme_, &ThemeController::changed, this, [this] { updateGeometry(); });
}

void FactList::setFacts(std::vector<Fact> facts) {
  const bool same_height = facts.size() == facts_.size();
  facts_ = std::move(facts);
  if (!same_height) updateGeometry();
  update();
}

QSize FactList::sizeHint() const {
  return {theme_.sizes().right_dock - 24, int(facts_.size()) * theme_.sizes().row};
}

QSize FactList::minimumSizeHint() const {
  return {theme_.sizes().right_dock / 2, int(facts_.size()) * theme_.sizes().row};
}

void FactList::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const int row = theme_.sizes().row, gap = theme_.sizes().step * 2;
  const QFontMetrics names(theme_.interfaceFont()), values(theme_.monoFont());
  for (std::size_t i = 0; i < facts_.size(); ++i) {
    const QRect line(0, int(i) * row, width(), row);
    const QString value = values.elidedText(facts_[i].value, Qt::ElideMiddle, width() * 2 / 3);
    const int value_width = values.horizontalAdvance(value);
    painter.setFont(theme_.interfaceFont());
    painter.setPen(toQt(theme_.colors().text_secondary));
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                     names.elidedText(facts_[i].name, Qt::ElideRight, width() - value_width - gap));
    painter.setFont(theme_.monoFont());
    painter.setPen(toQt(theme_.colors().text));
    painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, value);
  }
}

bool FactList::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const std::size_t row = std::size_t(std::max(0, help->pos().y()) / theme_.sizes().row);
  if (row < facts_.size())
    QToolTip::showText(
        help->globalPos(),
        QStringLiteral("%1: %2\n%3").arg(facts_[row].name, facts_[row].value, facts_[row].tooltip), this);
  return true;
}

}  // namespace vitrine::ui
