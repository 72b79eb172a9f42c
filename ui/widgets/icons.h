// The few icons of the window, drawn as paths in the text's colour, so that they follow theme and zoom; and a
// flat button that shows one.
#pragma once

#include "ui/theme/theme_controller.h"

#include <QToolButton>

namespace vitrine::ui {

enum class Icon { kPlay, kPause, kFirst, kPrevious, kNext, kLast, kClose, kFloat, kDice, kFolder, kReset };

void paintIcon(QPainter& painter, Icon icon, const QRectF& square, const QColor& color);

class IconButton : public QToolButton {
  Q_OBJECT

 public:
  IconButton(const ThemeController& theme, Icon icon, QString tooltip, QWidget* parent = nullptr);
  void setGlyph(Icon icon);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  const ThemeController& theme_;
  Icon icon_;
};

}  // namespace vitrine::ui
