// Numbers on a device with at least twice a float's digits (shaders/svd/sums.glsl): doubles, or pairs of
// floats where the device has no double precision. Both take 8 bytes.
#pragma once

#include <limits>
#include <string_view>

#include "core/engine/kernels.h"

namespace vitrine::core {

enum class SumForm { kDouble, kPair };

inline SumForm sumFormOf(const gpu::Device& device) {
  return device.info().features.float64 ? SumForm::kDouble : SumForm::kPair;
}
// Of the kernels that take them.
inline std::string_view name(SumForm form) {
  return form == SumForm::kDouble ? "double" : "pair";
}

// What one sum or product is off by at most, relative to its terms.
inline double roundingOf(SumForm form) {
  return form == SumForm::kDouble ? std::numeric_limits<double>::epsilon() : 0x1p-46;
}

// Numbers of a downloaded buffer, in place, and those of one that will be uploaded.
void sumsToDoubles(std::span<double> sums, SumForm form);
void doublesToSums(std::span<double> values, SumForm form);

}  // namespace vitrine::core
