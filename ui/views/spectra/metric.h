// The numbers by which matrices are listed, sorted and followed through the layers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/spectra/comparison_source.h"
#include "core/spectra/spectra_source.h"
#include "ui/views/spectra/subject.h"

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
  // Of a fine-tune against its base.
  kChange,
  kIntruders,
  kPhi,
  kAngle,
  kDiagonal,
  kBand,
  kCorner,
  kChangeStableRank,
  kAdapterRank,
};
// In the order of menus.
std::span<const Metric> metricsOf(Subject subject);

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

// The same of a preview: its largest value and what follows from that are bounds, "≥ 12.3", the norm is
// exact, and nothing is said of what needs all values.
double valueOf(const core::SpectrumPreview& preview, Metric metric);
std::string textOf(const core::SpectrumPreview& preview, Metric metric);

// The same of a comparison; the numbers of one spectrum are none of it.
double valueOf(const core::MatrixComparison& comparison, Metric metric, IntruderRule rule);
std::string textOf(const core::MatrixComparison& comparison, Metric metric, IntruderRule rule);

// Of either kind, whatever has been found.
double valueOf(const core::MatrixResult& result, Metric metric, IntruderRule rule);
std::string textOf(const core::MatrixResult& result, Metric metric, IntruderRule rule);

// "preview: first 16 of 4096 values, ± 0.013; exact values follow".
std::string previewText(const core::SpectrumPreview& preview, bool running);

struct Sorting {
  Metric by = Metric::kName;
  bool descending = false;
  bool operator==(const Sorting&) const = default;
};

// Indices of the matrices whose names match the glob (as in core/spectra/matrix_catalogue.h, but a name may
// begin with anything; a bare word is looked for anywhere), sorted; those without the number come last either
// way, equal ones in the model's order.
std::vector<std::size_t> orderOf(const core::SpectraSnapshot& snapshot, const std::string& glob,
                                 Sorting sorting, IntruderRule rule = {});

}  // namespace vitrine::ui::spectra
