#include "ui/widgets/dock_title.h"

#include "ui/widgets/icons.h"

#include <QHBoxLayout>
#include <QStyle>

namespace vitrine::ui {

DockTitle::DockTitle(const ThemeController& theme, QDockWidget& dock)
    : QWidget(&dock), theme_(theme), title_(new QLabel(this)), note_(new QLabel(this)) {
  setProperty("role", "header");
  setAttribute(Qt::WA_StyledBackground);
  title_->setText(dock.windowTitle().toUpper());
  title_->setProperty("role", "secondary");
  note_->setProperty("role", "secondary");
  title_->setAttribute(Qt::WA_TransparentForMouseEvents);  // the header is dragged by its text too
  note_->setAttribute(Qt::WA_TransparentForMouseEvents);
  auto* move = new IconButton(theme, Icon::kFloat, tr("Detach or attach this panel"), this);
  auto* close = new IconButton(theme, Icon::kClose, tr("Close this panel (View menu brings it back)"), this);
  for (auto* button : {move, close}) {
    button->setFixedSize(20, 20);
    button->setFocusPolicy(Qt::NoFocus);  // the View menu does the same by key
  }
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 0, 4, 0);
  row->setSpacing(0);
  row->addWidget(title_);
  row->addStretch();
  row->addWidget(note_);
  row->addSpacing(8);
  row->addWidget(move);
  row->addWidget(close);
  connect(move, &QToolButton::clicked, &dock, [&dock] { dock.setFloating(!dock.isFloating()); });
  connect(close, &QToolButton::clicked, &dock, &QDockWidget::close);
  connect(&theme_, &ThemeController::changed, this, &DockTitle::applyTheme);
  applyTheme();
}

void DockTitle::applyTheme() {
  title_->setFont(theme_.headerFont());
  note_->setFont(theme_.smallFont());
  updateGeometry();
}

void DockTitle::setNote(const QString& note) {
  if (note_->text() != note) note_->setText(note);
}

QSize DockTitle::sizeHint() const {
  return {theme_.sizes().left_dock, theme_.sizes().dock_header};
}
QSize DockTitle::minimumSizeHint() const {
  return {120, theme_.sizes().dock_header};
}

SectionHeader::SectionHeader(const ThemeController& theme, const QString& title, QWidget* parent)
    : QLabel(parent) {
  setProperty("role", "header");
  setContentsMargins(12, 0, 12, 0);
  setIndent(0);
  setTitle(title);
  auto apply = [this, &theme] {
    setFont(theme.headerFont());
    setFixedHeight(theme.sizes().dock_header);
    QPalette palette = this->palette();
    palette.setColor(QPalette::WindowText, toQt(theme.colors().text_secondary));
    setPalette(palette);
  };
  connect(&theme, &ThemeController::changed, this, apply);
  apply();
}

void SectionHeader::setTitle(const QString& title) {
  setText(title.toUpper());
}

}  // namespace vitrine::ui
