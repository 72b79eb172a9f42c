// A panel's numbers as CSV (RFC 4180: CRLF line ends, quotes doubled), one value a row, so that pandas, R and
// pgfplots read it as it is. The header names the axes and units.
//   heat map:   query, query label, key, key label, attention probability     masked cells are left out
//   thumbnails: layer, head, row, column, attention probability
//   lines:      series, x, y [, low, high]
//   bars:       series, index, label, value [, error]
// Numbers have the digits that give back the same value; what is not finite is written NaN, inf, -inf.
#pragma once

#include <string>

#include "core/figure/figure.h"

namespace vitrine::core {

std::string csvOf(const Panel& panel);

}  // namespace vitrine::core
