#include "core/spectra/spectrum.h"

#include <cmath>
#include <limits>

namespace vitrine::core {

std::string_view name(SpectrumPath path) {
  return path == SpectrumPath::kLapack ? "LAPACK" : "Vulkan";
}

double gramFloor(double largest) {
  constexpr double kUnits = 11;  // measured: 5e-8 of the largest at most (tests/core/spectra)
  return largest * std::sqrt(kUnits * std::numeric_limits<double>::epsilon());
}

}  // namespace vitrine::core
