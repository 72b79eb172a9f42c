#include "ui/docks/dock.h"

namespace vitrine::ui {

Dock::Dock(const ThemeController& theme, const QString& name, const QString& title, QWidget* parent)
    : QDockWidget(title, parent) {
  setObjectName(name);
  title_ = new DockTitle(theme, *this);
  setTitleBarWidget(title_);
  auto* content = new QWidget(this);
  content->setProperty("role", "dock");
  content->setAttribute(Qt::WA_StyledBackground);
  body_ = new QVBoxLayout(content);
  body_->setContentsMargins(0, 0, 0, 0);
  body_->setSpacing(0);
  setWidget(content);
}

QVBoxLayout* Dock::addPadded() {
  auto* part = new QVBoxLayout;
  part->setContentsMargins(12, 8, 12, 8);
  part->setSpacing(4);
  body_->addLayout(part);
  return part;
}

}  // namespace vitrine::ui
