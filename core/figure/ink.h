// The inks and line widths of figures on white paper (the light theme's tokens of the interface).
#pragma once

#include "core/figure/colormap.h"

namespace vitrine::core::ink {

inline constexpr Rgb8 kText = {27, 30, 36};
inline constexpr Rgb8 kSecondary = {84, 91, 104};
inline constexpr Rgb8 kGrid = {213, 217, 224};
inline constexpr Rgb8 kMasked = {230, 232, 236};
inline constexpr Rgb8 kHatch = {190, 195, 204};
inline constexpr Rgb8 kQuery = {179, 107, 0};
inline constexpr Rgb8 kKey = {27, 138, 87};
inline constexpr Rgb8 kFirstMarginal = {31, 111, 181};
inline constexpr Rgb8 kSecondMarginal = {106, 82, 179};
inline constexpr Rgb8 kPaper = {255, 255, 255};

inline constexpr double kAxisWidth = 0.6;  // points
inline constexpr double kMinorWidth = 0.4;
inline constexpr double kSeriesWidth = 1.1;
inline constexpr double kTick = 2.5;  // length of a tick
inline constexpr double kMinorTick = 1.5;
inline constexpr double kPad = 2;         // between a tick and its label, a label and the next thing
inline constexpr double kGap = 5;         // between parts of a panel
inline constexpr double kPanelGap = 12;   // between panels
inline constexpr double kPageMargin = 1;  // keeps antialiased edges on the page

}  // namespace vitrine::core::ink
