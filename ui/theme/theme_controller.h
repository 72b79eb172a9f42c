// Which theme is in force: the user's choice, the zoom of the interface, and the resulting tokens. Applies
// them to the whole application (palette, font, style sheet) and tells the widgets that paint themselves.
#pragma once

#include "ui/theme/tokens.h"

#include <QColor>
#include <QFont>
#include <QObject>

#include <string_view>

class QApplication;

namespace vitrine::ui {

enum class ThemeChoice { kDark, kLight, kSystem };
std::string_view name(ThemeChoice choice);  // "dark": as it is kept in the settings
ThemeChoice themeChoiceNamed(const QString& name);

inline QColor toQt(Rgba color) {
  return QColor::fromRgba(color.argb());
}

class ThemeController : public QObject {
  Q_OBJECT

 public:
  // Reads the system's appearance from the palette that the platform gave, so make it before any apply().
  explicit ThemeController(QApplication& application, QObject* parent = nullptr);

  // With the interface's zoom applied to all sizes.
  const Theme& theme() const { return theme_; }
  const Colors& colors() const { return theme_.colors; }
  const Sizes& sizes() const { return theme_.sizes; }

  ThemeChoice choice() const { return choice_; }
  double zoom() const { return zoom_; }

  void setChoice(ThemeChoice choice);
  void setZoom(double zoom);  // kept within 0.75 .. 2

  QFont interfaceFont() const;
  QFont smallFont() const;
  QFont headerFont() const;  // 11, wide; the caller writes upper case
  QFont monoFont() const;

 signals:
  void changed();

 private:
  void apply();

  QApplication& application_;
  Appearance system_;
  ThemeChoice choice_ = ThemeChoice::kDark;
  double zoom_ = 1.0;
  Theme theme_;
};

}  // namespace vitrine::ui
