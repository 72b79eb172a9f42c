// The range of the colour map: a histogram of the visible probabilities with a handle at either end of the
// range, and the colour bar beneath it. Drag a handle, drag between them to move both, double-click to reset;
// with the keyboard, Tab chooses the handle and the arrows move it.
#pragma once

#include "ui/theme/theme_controller.h"
#include "ui/view_settings.h"

#include <QWidget>

#include <vector>

namespace vitrine::ui {

// Probability to position on the histogram's axis (0..1) and back: log10 from 1e-8 to 1, or linear from 0
// to 1.
double axisPosition(double probability, Scale scale);
double axisProbability(double position, Scale scale);

class RangeHistogram : public QWidget {
  Q_OBJECT

 public:
  RangeHistogram(const ThemeController& theme, ViewSettings& settings, QWidget* parent = nullptr);

  void setHistogram(std::vector<std::uint32_t> bins);  // of log10(probability) from -8 to 0, in equal steps
  void setQuantity(const QString& name);               // under the axis
  void fitToData();  // from the first to the last bin that holds more than a thousandth of all
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  enum class Grip { kNone, kLow, kHigh, kBoth };

  QRectF plot() const;
  QRectF colorBar() const;
  double toX(double probability) const;
  double toProbability(double x) const;
  Grip gripAt(QPointF position) const;
  void paintBars(QPainter& painter);
  void paintColorBar(QPainter& painter);
  void paintHandles(QPainter& painter);
  void paintLabels(QPainter& painter);

  const ThemeController& theme_;
  ViewSettings& settings_;
  std::vector<std::uint32_t> bins_;
  QString quantity_ = tr("attention probability");
  Grip grip_ = Grip::kNone;
  Grip key_grip_ = Grip::kLow;  // that the arrow keys move
  double grip_offset_ = 0;      // of the pointer from what it holds, in axis positions
};

}  // namespace vitrine::ui
