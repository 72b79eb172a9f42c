// Fonts of figures in Qt: the preset's families, with the system's fallbacks for scripts they lack.
// All of ui/figure works in hundredths of a point, because Qt sizes fonts in whole units: 6.75 pt are 675.
#pragma once

#include <QFont>

#include "core/figure/drawing.h"
#include "core/figure/preset.h"

namespace vitrine::ui {

inline constexpr double kUnitsPerPoint = 100;

QFont figureFont(const core::TextFont& font, const core::FigurePreset& preset);

// Needs a QGuiApplication; the platform "offscreen" suffices.
class QtTextMeasure : public core::TextMeasure {
 public:
  explicit QtTextMeasure(const core::FigurePreset& preset) : preset_(preset) {}
  core::TextExtent measure(std::string_view utf8, const core::TextFont& font) const override;

 private:
  const core::FigurePreset& preset_;
};

}  // namespace vitrine::ui
