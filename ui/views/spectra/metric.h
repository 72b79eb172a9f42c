// The numbers by which matrices are listed, sorted and followed through the layers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/spectra/spectra_worker.h"

namespace vitrine::ui::spectra {

enum class Metric {
  kName,  // the model's order, by name and number
  kShape,
  kSigma1,
  kStableRank,
  kEffectiveRank,
  kAlpha,
  kParticipation,
  kEnergyRank90,
  kEnergyRank99,
  kFrobenius,
  kNuclear,
  kCondition,
  kSpikes,
};
std::span<const Metric> allMetrics();

std::string_view name(Metric metric);     // "stable rank"
std::string_view heading(Metric metric);  // of a column: "stable rank", "σ₁"
std::string_view formula(Metric metric);  // "Σσ² / σ₁²; .."
inline bool isNumber(Metric metric) {
  return metric != Metric::kName && metric != Metric::kShape;
}

// NaN where the number does not exist (no power law fits), infinite for the condition of a singular matrix.
double valueOf(const core::SpectrumReport& report, Metric metric);
// Three or four significant digits; "≥ 1.02e4" for a condition that is a bound.
std::string textOf(const core::SpectrumReport& report, Metric metric);

struct Sorting {
  Metric by = Metric::kName;
  bool descending = false;
  bool operator==(const Sorting&) const = default;
};

// Indices of the matrices whose names match the glob (as in core/spectra/matrix_catalogue.h, but a name may
// begin with anything; a bare word is looked for anywhere), sorted; those without the number come last either
// way, equal ones in the model's order.
std::vector<std::size_t> orderOf(const core::SpectraSnapshot& snapshot, const std::string& glob,
                                 Sorting sorting);

}  // namespace vitrine::ui::spectra
