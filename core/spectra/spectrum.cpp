#include "core/spectra/spectrum.h"

#include <cmath>

namespace vitrine::core {
namespace {

double relativeError(double found, double expected) {
  return expected == 0 ? std::abs(found) : std::abs(found - expected) / expected;
}

}  // namespace

std::string_view name(SpectrumPath path) {
  switch (path) {
    case SpectrumPath::kLapack:
      return "LAPACK";
    case SpectrumPath::kDevice:
      return "Vulkan";
    case SpectrumPath::kDevicePairs:
      break;
  }
  return "Vulkan, pairs of floats";
}

void certifyBySums(Spectrum& spectrum, double squares, double fourth) {
  double sum2 = 0, sum4 = 0;
  for (auto s = spectrum.sigma.rbegin(); s != spectrum.sigma.rend(); ++s) {  // the smallest first
    sum2 += *s * *s;
    sum4 += *s * *s * *s * *s;
  }
  spectrum.frobenius = std::sqrt(squares);
  spectrum.certificate.energy = relativeError(sum2, squares);
  spectrum.certificate.fourth = relativeError(sum4, fourth);
  spectrum.certificate.upper_bound = std::sqrt(std::sqrt(fourth));
}

double gramFloor(double largest, double rounding) {
  constexpr double kUnits = 11;  // measured: 5e-8 of the largest at most (tests/core/spectra)
  return largest * std::sqrt(kUnits * rounding);
}

}  // namespace vitrine::core
