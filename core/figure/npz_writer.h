// A figure's numbers as NPZ, the zip of .npy files (format version 1.0) that numpy.load reads without pickle.
// With several panels the names begin with the panel's letter: a_values, b_values ..
//   always:     figure (1), the figure's name
//   heat map:   values (rows, columns) f4, masked cells NaN; mask bool; row_labels, column_labels;
//   row_marginal, .. thumbnails: values (rows, columns, height, width) f4; mask; row_names lines: line0_x,
//   line0_y, line0_low, line0_high f8 ..; line_labels bars:       bars, bar_errors (series, categories) f8;
//   bar_labels; categories
// The same figure gives the same bytes: entries are stamped 1980-01-01 in a fixed order.
#pragma once

#include <string>

#include "core/figure/figure.h"

namespace vitrine::core {

Result<std::string> npzOf(const Figure& figure);

}  // namespace vitrine::core
