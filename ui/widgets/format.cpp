#include "ui/widgets/format.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::ui {
namespace {

QString scaled(std::uint64_t value, std::array<const char*, 5> units) {
  double number = double(value);
  std::size_t unit = 0;
  // 999.5 would be written as "1000".
  while (number >= 999.5 && unit + 1 < units.size()) {
    number /= 1000;
    ++unit;
  }
  const QString text = unit == 0 ? QString::number(value) : significant(number);
  return units[unit][0] ? text + QChar(0x00a0) + QLatin1String(units[unit]) : text;
}

}  // namespace

QString significant(double value, int digits) {
  if (std::isnan(value)) return QStringLiteral("–");
  if (std::isinf(value)) return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
  if (value == 0) return QStringLiteral("0");
  const double magnitude = std::abs(value);
  if (magnitude < 1e-3 || magnitude >= 1e6) {
    QString text = QString::number(value, 'e', std::max(0, digits - 2));
    text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e");
    return text;
  }
  // Rounding may add a digit: 0.9996 is 1.00.
  int whole = int(std::floor(std::log10(magnitude))) + 1;
  const double unit = std::pow(10.0, whole - digits);
  if (std::round(magnitude / unit) * unit >= std::pow(10.0, whole)) ++whole;
  return QString::number(value, 'f', std::max(0, whole > 0 ? digits - whole : digits));
}

QString fixedText(double value) {
  return QString::number(value, 'f', value < 1 ? 2 : value < 99.95 ? 1 : 0);
}

QString shortNumber(double value) {
  QString text = significant(value);
  const auto exponent = text.indexOf('e');
  QString mantissa = exponent < 0 ? text : text.left(exponent);
  if (mantissa.contains('.')) {
    while (mantissa.endsWith('0')) mantissa.chop(1);
    if (mantissa.endsWith('.')) mantissa.chop(1);
  }
  return exponent < 0 ? mantissa : mantissa + text.mid(exponent);
}

QString probabilityText(double probability) {
  return probability < 0 ? QStringLiteral("masked") : significant(probability);
}

QString bytesText(std::uint64_t bytes) {
  return scaled(bytes, {"B", "kB", "MB", "GB", "TB"});
}

QString countText(std::uint64_t count) {
  return scaled(count, {"", "k", "M", "B", "T"});
}

QString groupedText(std::uint64_t count) {
  QString text = QString::number(count);
  for (auto at = text.size() - 3; at > 0; at -= 3) text.insert(at, QChar(0x202f));
  return text;
}

QString quoted(const QString& token) {
  return QStringLiteral("“") + token + QStringLiteral("”");
}

}  // namespace vitrine::ui
