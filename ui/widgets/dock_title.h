// A dock's header: its name in upper case, a note at the right, and buttons to float and close it.
#pragma once

#include "ui/theme/theme_controller.h"

#include <QDockWidget>
#include <QLabel>
#include <QWidget>

namespace vitrine::ui {

class DockTitle : public QWidget {
  Q_OBJECT

 public:
  DockTitle(const ThemeController& theme, QDockWidget& dock);
  void setNote(const QString& note);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 private:
  void applyTheme();

  const ThemeController& theme_;
  QLabel* title_;
  QLabel* note_;
};

// A header within a dock: the same look, without buttons.
class SectionHeader : public QLabel {
  Q_OBJECT

 public:
  SectionHeader(const ThemeController& theme, const QString& title, QWidget* parent = nullptr);
  void setTitle(const QString& title);  // written in upper case
};

}  // namespace vitrine::ui
