// The singular values of one matrix with what proves them. They are the roots of the eigenvalues of the Gram
// matrix of the short side, which is accumulated and diagonalized in double precision: of a float32 matrix
// that is more accurate than LAPACK in float32, down to a floor below which nothing is known but "small".
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace vitrine::core {

enum class SpectrumPath { kLapack, kDevice, kDevicePairs };  // the last two in doubles and in pairs of floats
std::string_view name(SpectrumPath path);                    // "LAPACK", "Vulkan", "Vulkan, pairs of floats"

// Checks that do not repeat the way in which the values were found. All relative; rounding leaves about 1e-15
// to 1e-13.
struct SpectrumCertificate {
  double energy = 0;  // |sum s^2 - ||A||_F^2| / ||A||_F^2, the norm summed from A's elements
  double fourth = 0;  // |sum s^4 - ||G||_F^2| / ||G||_F^2, G the Gram matrix
  // At each of `shifts` points between values, the Sturm count of the tridiagonal form says how many
  // eigenvalues lie below: at so many it is what the spectrum says.
  std::uint32_t shifts = 0, agreeing = 0;
  // ||G||_F^(1/2) >= s1: one step of the Gram iteration (Delattre et al., arXiv:2305.16173).
  double upper_bound = 0;
};

struct Spectrum {
  std::uint64_t rows = 0, columns = 0;
  std::vector<double> sigma;  // (min(rows, columns)), descending
  double frobenius = 0;       // summed from the elements
  // Values at or below it are known to be no larger than it, not how large they are.
  double floor = 0;
  SpectrumCertificate certificate;
  SpectrumPath path = SpectrumPath::kLapack;
};

// Frobenius norm and certificate of found values from what was not taken from them: the sum of the elements'
// squares and that of the Gram matrix's.
void certifyBySums(Spectrum& spectrum, double squares, double fourth);

// The floor of a spectrum from a Gram matrix in double precision, or in what rounds by `rounding`: an
// eigenvalue is off by a few units of rounding of the largest one, so a singular value by the root of that.
double gramFloor(double largest, double rounding = std::numeric_limits<double>::epsilon());

}  // namespace vitrine::core
