// `?`: every key and what the mouse does, as two columns of a list that needs no scrolling on a usual screen.
#pragma once

#include "ui/theme/theme_controller.h"
#include "ui/window/command_palette.h"

#include <QDialog>

#include <vector>

namespace vitrine::ui {

class ShortcutsDialog : public QDialog {
  Q_OBJECT

 public:
  ShortcutsDialog(const ThemeController& theme, const std::vector<PaletteEntry>& entries, QWidget* parent);
};

}  // namespace vitrine::ui
