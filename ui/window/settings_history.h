// Undo and redo for the view's settings: colour map, scale, range, pooling. A dragged handle is one step.
#pragma once

#include "ui/view_settings.h"

#include <QObject>
#include <QUndoStack>

namespace vitrine::ui {

class SettingsHistory : public QObject {
  Q_OBJECT

 public:
  // `merge_ms`: changes of the same kind within this time of each other are one step.
  SettingsHistory(ViewSettings& settings, int merge_ms = 600, QObject* parent = nullptr);
  QUndoStack& stack() { return stack_; }

  struct State {
    core::ColormapId colormap{};
    Scale scale{};
    Range range{};
    core::Pooling pooling{};
    bool operator==(const State&) const = default;
  };

 private:
  void record();
  State current() const;

  ViewSettings& settings_;
  int merge_ms_;
  State last_;
  bool applying_ = false;
  QUndoStack stack_;
};

}  // namespace vitrine::ui
