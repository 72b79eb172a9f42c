// Ctrl+K: every action of the window by name. Typed letters are found in order anywhere in "Menu › Action";
// words and beginnings count more.
#pragma once

#include "ui/theme/theme_controller.h"

#include <QAction>
#include <QFrame>
#include <QLineEdit>
#include <QListView>
#include <QPointer>
#include <QStandardItemModel>

#include <optional>
#include <vector>

namespace vitrine::ui {

struct PaletteEntry {
  QString text;  // "Run › Generate"
  QPointer<QAction> action;
};

// How well `query` fits `text`, higher is better; nothing when it does not. An empty query fits everything
// equally.
std::optional<int> paletteScore(const QString& query, const QString& text);
// The entries that fit, the best first, equal ones in their order.
std::vector<PaletteEntry> filterPalette(const std::vector<PaletteEntry>& entries, const QString& query);

class CommandPalette : public QFrame {
  Q_OBJECT

 public:
  CommandPalette(const ThemeController& theme, QWidget* window);
  void open(std::vector<PaletteEntry> entries);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void refresh();
  void run();

  const ThemeController& theme_;
  QLineEdit* field_;
  QListView* list_;
  QStandardItemModel* model_;
  std::vector<PaletteEntry> entries_, shown_;
};

}  // namespace vitrine::ui
