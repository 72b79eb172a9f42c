#include "core/spectra/spectrum.h"

#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

double relativeError(double found, double expected) {
  return expected == 0 ? std::abs(found) : std::abs(found - expected) / expected;
}

}  // namespace

std::string_view name(SpectrumPath path) {
  return path == SpectrumPath::kLapack ? "LAPACK" : "Vulkan";
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

double gramFloor(double largest) {
  constexpr double kUnits = 11;  // measured: 5e-8 of the largest at most (tests/core/spectra)
  return largest * std::sqrt(kUnits * std::numeric_limits<double>::epsilon());
}

}  // namespace vitrine::core
