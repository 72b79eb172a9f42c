// Numbers as the window shows them: three or four significant digits, a unit, never more characters than
// expected.
#pragma once

#include <QString>

#include <cstdint>

namespace vitrine::ui {

// 0.3012 -> "0.301", 112.44 -> "112", 3.2e-5 -> "3.2e-5", 0 -> "0"; not a number -> "–".
QString significant(double value, int digits = 3);
QString fixedText(double value);              // at most four characters: "0.05", "6.1", "112"
QString shortNumber(double value);            // without trailing zeros: "1e-4", "0.3", "1"
QString probabilityText(double probability);  // "0.301", "3.2e-5"; below 0 (masked): "masked"
QString bytesText(std::uint64_t bytes);       // "3.10 MB", powers of 1000
QString countText(std::uint64_t count);       // "28.3 M", "134 M", "1.10 B"; below 1000 as it is
QString groupedText(std::uint64_t count);     // "134 515 008", with thin spaces

// A token's display as prose quotes it: “·a”.
QString quoted(const QString& token);

}  // namespace vitrine::ui
