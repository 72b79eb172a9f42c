// The tabs of the views; beside them what is selected and what the engine does, with Cancel while it can be
// cancelled.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/selection.h"
#include "ui/theme/theme_controller.h"
#include "ui/widgets/elided_label.h"

#include <QPushButton>
#include <QTabBar>
#include <QWidget>

namespace vitrine::ui {

class TabRow : public QWidget {
  Q_OBJECT

 public:
  TabRow(const ThemeController& theme, const Selection& selection, QWidget* parent = nullptr);
  void choose(int tab) { tabs_->setCurrentIndex(tab); }
  void addTab(const QString& title) { tabs_->addTab(title); }
  void setSnapshot(const core::Snapshot& snapshot, double pace);
  void setNote(const QString& note);  // in place of the selection; empty: the selection

 signals:
  void tabChosen(int index);
  void cancelRequested();  // of loading, or of reading the prompt

 private:
  void showSelection();

  const Selection& selection_;
  QString note_;
  QTabBar* tabs_;
  ElidedLabel *selected_, *activity_;
  QPushButton* cancel_;
};

// "live · 10 tokens/s", "ended: end of text": what the engine does, in a few words; empty when there is
// nothing to say that the view does not.
QString activityText(const core::Snapshot& snapshot, double pace);
// "Layer 17 · Head 5 · query 66 of 67"; empty while nothing can be selected.
QString selectionText(const Selection& selection);

}  // namespace vitrine::ui
