// Figures of spectra: the values of matrices over their index, and one number of each over the layers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"
#include "core/spectra/spectrum_report.h"

namespace vitrine::core {

inline constexpr std::size_t kMostSpectra = 14;  // lines that two rounds of colours and dashes keep apart

// Singular values, logarithmic, over their number; what lies at or under the floor is left out;
// those of shuffled elements dotted beside them, where a report has them. `model`:
// named in the caption. kInvalidArgument for no report or more than kMostSpectra.
Result<Figure> spectrumFigure(std::span<const SpectrumReport> reports, const std::string& model);

// "stable_rank", "effective_rank", "participation", "nuclear", "frobenius", "s1", "condition", "alpha".
std::span<const std::string_view> profileMetrics();

// A line for each kind of matrix; matrices without a layer in their names are left out. kInvalidArgument for
// another metric, for no matrix with a layer, and for more than kMostSpectra kinds.
Result<Figure> profileFigure(std::span<const SpectrumReport> reports, std::string_view metric,
                             const std::string& model);

}  // namespace vitrine::core
