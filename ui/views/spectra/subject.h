// What the Spectra view is of.
#pragma once

#include <array>
#include <string_view>

namespace vitrine::ui::spectra {

enum class Subject { kWeights, kQk, kOv, kComparison, kHeadGraph };
inline constexpr std::array kSubjects = {Subject::kWeights, Subject::kQk, Subject::kOv, Subject::kComparison,
                                         Subject::kHeadGraph};

constexpr std::string_view name(Subject subject) {
  constexpr std::array<std::string_view, kSubjects.size()> kNames = {"weights", "QK products", "OV products",
                                                                     "fine-tune against base", "head graph"};
  return kNames[std::size_t(subject)];
}
constexpr bool isProduct(Subject subject) {
  return subject == Subject::kQk || subject == Subject::kOv;
}

// Which of a fine-tune's directions are intruders: of the first `first` those that match none of the base by
// `epsilon`.
struct IntruderRule {
  std::size_t first = 10;
  double epsilon = 0.5;
  bool operator==(const IntruderRule&) const = default;
};

}  // namespace vitrine::ui::spectra
