#include "ui/widgets/menu_field.h"

#include <QWidgetAction>

namespace vitrine::ui {

MenuField::MenuField(QWidget* parent) : QComboBox(parent), menu_(new QMenu(this)) {
  addItem(QString());
  setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  setMinimumContentsLength(8);
}

void MenuField::setPanel(QWidget* panel) {
  auto* action = new QWidgetAction(menu_);
  action->setDefaultWidget(panel);
  menu_->addAction(action);
}

void MenuField::setText(const QString& text) {
  setItemText(0, text);
}

void MenuField::showPopup() {
  menu_->setMinimumWidth(width());
  const int height = menu_->sizeHint().height();
  const QPoint below = mapToGlobal(QPoint(0, this->height()));
  const bool fits = below.y() + height < window()->mapToGlobal(QPoint(0, window()->height())).y();
  menu_->popup(fits ? below : mapToGlobal(QPoint(0, -height)));
}

}  // namespace vitrine::ui
