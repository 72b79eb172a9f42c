// The parts of Qt's Fusion style that a style sheet cannot draw without image files: arrows, check marks,
// branches, combo and spin boxes, focus rings. Reads the tokens anew at each painting, so a switch of the
// theme needs nothing here.
#pragma once

#include "ui/theme/tokens.h"

#include <QProxyStyle>

namespace vitrine::ui {

class Style : public QProxyStyle {
  Q_OBJECT

 public:
  explicit Style(const Theme& theme);  // must outlive the style

  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
  void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                          const QWidget* widget) const override;
  QRect subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                       const QWidget* widget) const override;
  int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
  int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                QStyleHintReturn* result) const override;
  QSize sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& contents,
                         const QWidget* widget) const override;

 private:
  void drawField(QPainter& painter, const QRect& rect, const QStyleOption& option) const;
  void drawCheckBox(QPainter& painter, const QStyleOption& option) const;
  void drawBranch(QPainter& painter, const QStyleOption& option) const;
  void drawCombo(QPainter& painter, const QStyleOptionComplex& option) const;
  void drawSpin(QPainter& painter, const QStyleOptionComplex& option, const QWidget* widget) const;

  const Theme& theme_;
};

}  // namespace vitrine::ui
