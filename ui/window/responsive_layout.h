// Which panels a window of a given width shows: wide, both sides; below 1100 the right docks become tabs of
// the left ones; below 800 only the picture, the tokens and the timeline stay. What the user arranged comes
// back when there is room.
#pragma once

#include "ui/theme/tokens.h"

#include <QByteArray>
#include <QMainWindow>

#include <vector>

namespace vitrine::ui {

enum class LayoutMode { kWide, kNarrow, kTiny };
LayoutMode layoutModeFor(int width, const Sizes& sizes);

class ResponsiveLayout {
 public:
  // Places the docks for the first time. All must outlive this.
  ResponsiveLayout(QMainWindow& area, std::vector<QDockWidget*> left, std::vector<QDockWidget*> right);

  LayoutMode mode() const { return mode_; }
  // Returns whether the mode changed.
  bool update(int width, const Sizes& sizes);
  void reset(const Sizes& sizes);  // all docks to their places
  // Gives each dock of a side the height that it asks for, the first left one what remains. Once the window
  // is shown.
  void distribute();

  QByteArray save() const;  // of the wide arrangement, whatever the mode
  bool restore(const QByteArray& state);

 private:
  void placeWide();
  void apply(LayoutMode mode);

  QMainWindow& area_;
  std::vector<QDockWidget*> left_, right_;
  LayoutMode mode_ = LayoutMode::kWide;
  QByteArray wide_;  // the wide arrangement while another is shown
  Sizes sizes_;
};

}  // namespace vitrine::ui
