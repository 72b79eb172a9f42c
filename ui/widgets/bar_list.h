// Rows of a token, a number and a bar: the keys of a query, the next tokens. Always as many rows high as
// promised, so that nothing below it jumps.
#pragma once

#include "ui/theme/theme_controller.h"

#include <QWidget>

#include <vector>

namespace vitrine::ui {

struct BarRow {
  QString label;     // a token, elided in the middle
  QString note;      // beside it, right-aligned: a position; may be empty for all rows
  double value = 0;  // 0 .. 1, the length of the bar
  QString tooltip;
  bool marked = false;  // drawn as selected
};

class BarList : public QWidget {
  Q_OBJECT

 public:
  enum class Color { kKey, kAccent };
  BarList(const ThemeController& theme, Color color, int rows, QWidget* parent = nullptr);

  void setRows(std::vector<BarRow> rows);  // more than promised are left out
  const std::vector<BarRow>& rows() const { return rows_; }
  void setPlaceholder(QString text);  // shown while there are no rows
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 signals:
  void hovered(int row);  // -1: none
  void clicked(int row);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  bool event(QEvent* event) override;

 private:
  int rowAt(int y) const;
  void setHoveredRow(int row);
  void paintRow(QPainter& painter, int row);

  const ThemeController& theme_;
  Color color_;
  int capacity_;
  int hovered_row_ = -1;
  QString placeholder_;
  std::vector<BarRow> rows_;
};

}  // namespace vitrine::ui
