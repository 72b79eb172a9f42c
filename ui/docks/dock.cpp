#include "ui/docks/dock.h"

#include <QScrollArea>
#include <QScrollBar>

namespace vitrine::ui {
namespace {

// Asks for as much room as its content would like, and scrolls where it gets less.
class ContentScroll : public QScrollArea {
 public:
  explicit ContentScroll(QWidget* content) {
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setWidget(content);
  }

  QSize sizeHint() const override { return widget()->sizeHint(); }
  QSize minimumSizeHint() const override {
    return {widget()->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width(), 0};
  }
};

}  // namespace

Dock::Dock(const ThemeController& theme, const QString& name, const QString& title, Overflow overflow,
           QWidget* parent)
    : QDockWidget(title, parent) {
  setObjectName(name);
  title_ = new DockTitle(theme, *this);
  setTitleBarWidget(title_);
  auto* content = new QWidget;
  content->setProperty("role", "dock");
  content->setAttribute(Qt::WA_StyledBackground);
  body_ = new QVBoxLayout(content);
  body_->setContentsMargins(0, 0, 0, 0);
  body_->setSpacing(0);
  if (overflow == Overflow::kScrolls)
    setWidget(new ContentScroll(content));
  else
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
