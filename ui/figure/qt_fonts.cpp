#include "ui/figure/qt_fonts.h"

#include <QFontMetricsF>
#include <QString>
#include <QStringList>
#include <cmath>

namespace vitrine::ui {

QFont figureFont(const core::TextFont& font, const core::FigurePreset& preset) {
  const std::vector<std::string>& names = font.role == core::FontRole::kMono ? preset.mono : preset.sans;
  QStringList families;
  for (const std::string& name : names) families << QString::fromStdString(name);
  families << QStringLiteral("Noto Sans CJK JP");
  QFont result;
  result.setFamilies(families);
  result.setStyleHint(font.role == core::FontRole::kMono ? QFont::Monospace : QFont::SansSerif);
  result.setHintingPreference(QFont::PreferNoHinting);
  result.setPixelSize(std::max(1, static_cast<int>(std::lround(font.size * kUnitsPerPoint))));
  result.setWeight(font.weight == core::FontWeight::kBold ? QFont::Bold : QFont::Normal);
  return result;
}

core::TextExtent QtTextMeasure::measure(std::string_view utf8, const core::TextFont& font) const {
  QFontMetricsF metrics(figureFont(font, preset_));
  QString text = QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
  return {metrics.horizontalAdvance(text) / kUnitsPerPoint, metrics.ascent() / kUnitsPerPoint,
          metrics.descent() / kUnitsPerPoint, metrics.capHeight() / kUnitsPerPoint};
}

}  // namespace vitrine::ui
