#include "ui/theme/style_sheet.h"

#include <algorithm>
#include <utility>

namespace vitrine::ui {
namespace {

// @name stands for a colour, #name for a size in pixels (with the interface's zoom). Widgets set the dynamic
// properties `role` (what they are) and `primary`.
constexpr const char* kTemplate = R"(
QMainWindow, QDialog { background: @window; }
QMainWindow::separator { background: @line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @accent; }
QMenuBar { background: @header; border-bottom: 1px solid @line; padding: 0 #step2; }
QMenuBar::item { padding: #step #step2; margin: 1px 0; border-radius: #corner; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @dock; border: 1px solid @control_border; padding: #step 0; }
QMenu::item { padding: #step #step6 #step #step3; margin: 0 #step; border-radius: #corner; }
QMenu::item:selected { background: @selected; }
QMenu::item:disabled { color: @text_disabled; }
QMenu::separator { height: 1px; background: @separator; margin: #step #step3; }
QMenu::indicator { width: #step3; height: #step3; left: #step; }
QMenu::indicator:checked { background: @accent; border-radius: #step; width: #step2; height: #step2; left: #step2; }
QToolTip { background: @tooltip; color: @text; border: 1px solid @control_border; padding: #step #step2; }

QPushButton { background: @field; border: 1px solid @control_border; border-radius: #corner; padding: 0 #step3;
              min-height: #button; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @pressed; }
QPushButton:focus { border-color: @accent; }
QPushButton:disabled { color: @text_disabled; background: @dock; }
QPushButton[primary="true"] { background: @primary; border-color: @primary; color: @primary_text; }
QPushButton[primary="true"]:hover { background: @primary_hover; border-color: @primary_hover; }
QPushButton[primary="true"]:focus { border-color: @text; }
QPushButton[primary="true"]:disabled { background: @dock; border-color: @control_border; color: @text_disabled; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: #corner; padding: 2px; }
QToolButton:hover { background: @hover; }
QToolButton:pressed, QToolButton:checked { background: @pressed; }
QToolButton:focus { border-color: @accent; }
QToolButton[role="link"] { color: @text_secondary; padding: 0 #step; }
QToolButton[role="link"]:hover { color: @text; }

QPlainTextEdit, QTextEdit { background: @field; border: 1px solid @control_border; border-radius: #corner; padding: #step;
                 selection-background-color: @selected; selection-color: @text; }
QPlainTextEdit:focus { border-color: @accent; }
QLineEdit { selection-background-color: @selected; selection-color: @text; padding: 0 #step; }
QComboBox QAbstractItemView { background: @dock; border: 1px solid @control_border; outline: 0; padding: #step;
                              selection-background-color: @selected; selection-color: @text; }

QTreeView, QListView, QTableView { background: @dock; border: none; outline: 0; }
QTreeView { show-decoration-selected: 1; padding-left: #step; }
QListWidget[role="list"]::item { padding-left: #step; border: none; }
QListWidget[role="list"]::item:hover { background: @hover; }
QListWidget[role="list"]::item:selected { background: @selected; color: @text; }
QTreeView::item { height: #row; border: none; }
QTreeView::item:hover { background: @hover; }
QTreeView::item:selected { background: @selected; color: @text; }
QTableView::item { padding: 0 #step2; border: none; }
QTableView::item:selected { background: @selected; color: @text; }
QHeaderView::section { background: @header; color: @text_secondary; border: none; padding: #step #step2; }

QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: #scroll; margin: 0; }
QScrollBar:horizontal { height: #scroll; margin: 0; }
QScrollBar::handle { background: @scroll; border-radius: #scroll_corner; margin: 2px; }
QScrollBar::handle:vertical { min-height: #row; }
QScrollBar::handle:horizontal { min-width: #row; }
QScrollBar::handle:hover { background: @text_disabled; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QTabBar { background: transparent; border: none; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @text_secondary; padding: 0 #step4; min-height: #tab; border: none;
               border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QMainWindow > QTabBar { background: transparent; }
QMainWindow > QTabBar::tab { padding: 0 #step2; min-height: #tab_small; }

QDockWidget { border: none; }
QScrollArea, QScrollArea > QWidget > QWidget { background: @dock; border: none; }
QWidget[role="dock"] { background: @dock; }
QWidget[role="header"] { background: @header; border-top: 1px solid @line; border-bottom: 1px solid @line; }
QWidget[role="bar"] { background: @dock; border-bottom: 1px solid @line; }
QWidget[role="foot"] { background: @dock; border-top: 1px solid @line; }
QWidget[role="canvas"] { background: @canvas; }
QLabel { background: transparent; }
QLabel[role="secondary"] { color: @text_secondary; }
QLabel[role="warning"] { color: @warning; }
QLabel[role="error"] { color: @error; }
QLabel[role="title"] { font-size: #title; font-weight: 600; }
QLabel[role="key"] { background: @field; border: 1px solid @control_border; border-radius: #corner; padding: 0 #step2; }
QFrame[role="banner"] { background: @banner; border-bottom: 1px solid @error; }
QFrame[role="card"], QFrame[role="palette"] { background: @dock; border: 1px solid @control_border; border-radius: #step2; }
QStatusBar { background: @header; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QSlider { min-height: #row; }
QSlider::groove:horizontal { background: @field; border: 1px solid @control_border; height: 2px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; border: 1px solid @accent; height: 2px; border-radius: 2px; }
QSlider::handle:horizontal { background: @text; width: #step3; margin: -#slider_margin 0; border-radius: #slider_corner; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: @accent; }
QSlider::sub-page:horizontal:disabled { background: @control_border; border-color: @control_border; }
QSlider::handle:horizontal:disabled { background: @text_disabled; }
QProgressBar { background: @field; border: none; border-radius: 2px; max-height: #step; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QProgressBar[role="line"] { background: transparent; border-radius: 0; }
QLabel[role="brand"] { font-weight: 700; padding: 0 #step2 0 #step3; }
)";

QString hex(Rgba color) {
  return QStringLiteral("#%1").arg(color.argb() & 0xffffffu, 6, 16, QLatin1Char('0'));
}

QString px(int size) {
  return QStringLiteral("%1px").arg(size);
}

}  // namespace

QString styleSheet(const Theme& theme) {
  const Colors& c = theme.colors;
  const Sizes& s = theme.sizes;
  const int scroll = s.step * 5 / 2;
  // Longer names stand before those that they begin with.
  const std::pair<const char*, QString> replacements[] = {
      {"@window", hex(c.window)},
      {"@dock", hex(c.dock)},
      {"@header", hex(c.header)},
      {"@line", hex(c.line)},
      {"@field", hex(c.field)},
      {"@hover", hex(c.hover)},
      {"@pressed", hex(c.pressed)},
      {"@selected", hex(c.selected)},
      {"@separator", hex(mix(c.dock, c.control_border, 0.7f))},
      {"@control_border", hex(c.control_border)},
      {"@text_secondary", hex(c.text_secondary)},
      {"@text_disabled", hex(c.text_disabled)},
      {"@text", hex(c.text)},
      {"@accent", hex(c.accent)},
      {"@primary_hover", hex(mix(c.primary, c.primary_text, 0.12f))},
      {"@primary_text", hex(c.primary_text)},
      {"@primary", hex(c.primary)},
      {"@warning", hex(c.warning)},
      {"@error", hex(c.error)},
      {"@banner", hex(mix(c.dock, c.error, 0.14f))},
      {"@canvas", hex(c.canvas)},
      {"@tooltip", hex(c.tooltip)},
      {"@scroll", hex(c.pressed)},
      {"#slider_corner", px(s.step * 3 / 2)},
      {"#slider_margin", px((s.step * 3 - 2) / 2)},
      {"#step2", px(s.step * 2)},
      {"#step3", px(s.step * 3)},
      {"#step4", px(s.step * 4)},
      {"#step6", px(s.step * 6)},
      {"#step", px(s.step)},
      {"#corner", px(s.corner)},
      {"#button", px(s.control - 2)},
      {"#row", px(s.row)},
      {"#scroll_corner", px(std::max(1, scroll / 2 - 2))},
      {"#scroll", px(scroll)},
      {"#tab_small", px(s.row)},
      {"#tab", px(s.tabs - 2)},
      {"#title", px(theme.fonts.interface_size + s.step)},
  };
  QString sheet = QString::fromLatin1(kTemplate);
  for (const auto& [key, value] : replacements) sheet.replace(QLatin1String(key), value);
  return sheet;
}

}  // namespace vitrine::ui
