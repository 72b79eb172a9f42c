#include "ui/theme/theme_controller.h"

#include "ui/theme/style.h"
#include "ui/theme/style_sheet.h"

#include <QApplication>
#include <QPalette>

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

// Fallbacks for the scripts that Inter and JetBrains Mono lack; fontconfig finds the rest.
const QStringList kScriptFallbacks = {"Noto Sans CJK JP", "Noto Sans", "DejaVu Sans"};

QFont fontOf(const char* family, const char* fallback, int pixels) {
  QFont font;
  font.setFamilies(QStringList{family, fallback} + kScriptFallbacks);
  font.setPixelSize(pixels);
  return font;
}

Sizes scaled(Sizes sizes, double zoom) {
  for (int* size : {&sizes.menu, &sizes.left_dock, &sizes.right_dock, &sizes.strip, &sizes.tabs,
                    &sizes.view_bar, &sizes.timeline, &sizes.status, &sizes.row, &sizes.corner, &sizes.step,
                    &sizes.dock_header, &sizes.control, &sizes.map_grid_from, &sizes.map_numbers_from,
                    &sizes.thumbnail_min, &sizes.narrow, &sizes.tiny})
    *size = int(std::lround(*size * zoom));
  return sizes;
}

QPalette paletteOf(const Colors& colors) {
  QPalette palette;
  auto set = [&](QPalette::ColorRole role, Rgba color) { palette.setColor(role, toQt(color)); };
  set(QPalette::Window, colors.dock);
  set(QPalette::WindowText, colors.text);
  set(QPalette::Base, colors.field);
  set(QPalette::AlternateBase, colors.header);
  set(QPalette::Text, colors.text);
  set(QPalette::PlaceholderText, colors.text_secondary);
  set(QPalette::Button, colors.field);
  set(QPalette::ButtonText, colors.text);
  set(QPalette::BrightText, colors.error);
  set(QPalette::ToolTipBase, colors.tooltip);
  set(QPalette::ToolTipText, colors.text);
  set(QPalette::Highlight, colors.selected);
  set(QPalette::HighlightedText, colors.text);
  set(QPalette::Link, colors.accent);
  set(QPalette::LinkVisited, colors.second_series);
  set(QPalette::Light, colors.hover);
  set(QPalette::Midlight, colors.header);
  set(QPalette::Mid, colors.control_border);
  set(QPalette::Dark, colors.line);
  set(QPalette::Shadow, colors.line);
  for (auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::HighlightedText})
    palette.setColor(QPalette::Disabled, role, toQt(colors.text_disabled));
  return palette;
}

}  // namespace

std::string_view name(ThemeChoice choice) {
  switch (choice) {
    case ThemeChoice::kDark:
      return "dark";
    case ThemeChoice::kLight:
      return "light";
    case ThemeChoice::kSystem:
      return "system";
  }
  return "";
}

ThemeChoice themeChoiceNamed(const QString& name) {
  if (name == "light") return ThemeChoice::kLight;
  if (name == "system") return ThemeChoice::kSystem;
  return ThemeChoice::kDark;
}

ThemeController::ThemeController(QApplication& application, QObject* parent)
    : QObject(parent),
      application_(application),
      system_(application.palette().color(QPalette::Window).lightness() < 128 ? Appearance::kDark
                                                                              : Appearance::kLight) {
  // The application owns the style; it draws with the tokens that are in force.
  application_.setStyle(new Style(theme_));
  apply();
}

void ThemeController::setChoice(ThemeChoice choice) {
  if (choice == choice_) return;
  choice_ = choice;
  apply();
}

void ThemeController::setZoom(double zoom) {
  zoom = std::clamp(zoom, 0.75, 2.0);
  if (zoom == zoom_) return;
  zoom_ = zoom;
  apply();
}

void ThemeController::apply() {
  const Appearance appearance = choice_ == ThemeChoice::kSystem  ? system_
                                : choice_ == ThemeChoice::kLight ? Appearance::kLight
                                                                 : Appearance::kDark;
  theme_ = themeOf(appearance);
  theme_.zoom = zoom_;
  theme_.sizes = scaled(theme_.sizes, zoom_);
  for (int* size : {&theme_.fonts.interface_size, &theme_.fonts.small_size, &theme_.fonts.header_size,
                    &theme_.fonts.mono_size})
    *size = std::max(10, int(std::lround(*size * zoom_)));
  application_.setFont(interfaceFont());
  application_.setPalette(paletteOf(theme_.colors));
  application_.setStyleSheet(styleSheet(theme_));
  emit changed();
}

QFont ThemeController::interfaceFont() const {
  return fontOf(theme_.fonts.interface_family, "Inter Variable", theme_.fonts.interface_size);
}

QFont ThemeController::smallFont() const {
  return fontOf(theme_.fonts.interface_family, "Inter Variable", theme_.fonts.small_size);
}

QFont ThemeController::headerFont() const {
  QFont font = fontOf(theme_.fonts.interface_family, "Inter Variable", theme_.fonts.header_size);
  font.setLetterSpacing(QFont::PercentageSpacing, 100.0 + 100.0 * theme_.fonts.header_spacing);
  font.setWeight(QFont::Medium);
  return font;
}

QFont ThemeController::monoFont() const {
  QFont font = fontOf(theme_.fonts.mono_family, "Noto Sans Mono", theme_.fonts.mono_size);
  font.setStyleHint(QFont::Monospace);
  return font;
}

}  // namespace vitrine::ui
