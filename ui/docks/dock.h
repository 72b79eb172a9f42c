// What all docks have in common: the header with its note, a body on the dock's ground, and a name under
// which its place is remembered.
#pragma once

#include "ui/theme/theme_controller.h"
#include "ui/widgets/dock_title.h"

#include <QDockWidget>
#include <QVBoxLayout>

namespace vitrine::ui {

class Dock : public QDockWidget {
  Q_OBJECT

 public:
  enum class Overflow { kScrolls, kHandled };  // by the dock; by what it holds, or never

  Dock(const ThemeController& theme, const QString& name, const QString& title, Overflow overflow,
       QWidget* parent = nullptr);

 protected:
  void setNote(const QString& note) { title_->setNote(note); }
  QVBoxLayout* body() { return body_; }  // without margins
  QVBoxLayout* addPadded();              // a part with the docks' margins

 private:
  DockTitle* title_;
  QVBoxLayout* body_;
};

}  // namespace vitrine::ui
