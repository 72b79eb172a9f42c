// What the Spectra view is of.
#pragma once

#include <array>
#include <string_view>

#include "core/engine/engine_types.h"

namespace vitrine::ui::spectra {

enum class Subject { kWeights, kQk, kOv, kComparison, kHeadGraph, kActivations, kKeys, kValues };
inline constexpr std::array kSubjects = {Subject::kWeights,    Subject::kQk,        Subject::kOv,
                                         Subject::kComparison, Subject::kHeadGraph, Subject::kActivations,
                                         Subject::kKeys,       Subject::kValues};

constexpr std::string_view name(Subject subject) {
  constexpr std::array<std::string_view, kSubjects.size()> kNames = {
      "weights",    "QK products", "OV products", "fine-tune against base",
      "head graph", "activations", "keys",        "values"};
  return kNames[std::size_t(subject)];
}
constexpr bool isProduct(Subject subject) {
  return subject == Subject::kQk || subject == Subject::kOv;
}

// Of the running model, not of its weights: nothing is computed ahead, the engine is asked.
constexpr bool isLive(Subject subject) {
  return subject == Subject::kActivations || subject == Subject::kKeys || subject == Subject::kValues;
}
constexpr core::SpectraOf liveOf(Subject subject) {
  return subject == Subject::kKeys     ? core::SpectraOf::kKeys
         : subject == Subject::kValues ? core::SpectraOf::kValues
                                       : core::SpectraOf::kActivations;
}
constexpr Subject subjectOf(core::SpectraOf of) {
  return of == core::SpectraOf::kKeys     ? Subject::kKeys
         : of == core::SpectraOf::kValues ? Subject::kValues
                                          : Subject::kActivations;
}
// Of the last so many tokens; 0: of all.
inline constexpr std::array<std::uint32_t, 4> kLiveWindows = {0, 256, 64, 16};

// Which of a fine-tune's directions are intruders: of the first `first` those that match none of the base by
// `epsilon`.
struct IntruderRule {
  std::size_t first = 10;
  double epsilon = 0.5;
  bool operator==(const IntruderRule&) const = default;
};

}  // namespace vitrine::ui::spectra
