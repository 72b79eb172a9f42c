#include "core/spectra/tridiagonal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace vitrine::core {

std::uint64_t sturmCount(const Tridiagonal& t, double shift) {
  double largest = std::numeric_limits<double>::min();
  for (const double b : t.beside) largest = std::max(largest, b * b);
  const double least = std::numeric_limits<double>::min() * largest;  // in the place of a pivot of zero
  std::uint64_t count = 0;
  double pivot = 1;
  for (std::size_t i = 0; i < t.diagonal.size(); ++i) {
    const double b = i == 0 ? 0 : t.beside[i - 1];
    pivot = t.diagonal[i] - shift - b * b / pivot;
    if (std::abs(pivot) < least) pivot = -least;
    count += pivot < 0;
  }
  return count;
}

void certifyByCounts(const Tridiagonal& t, std::span<const double> eigenvalues,
                     SpectrumCertificate& certificate, double rounding) {
  constexpr std::size_t kParts = 3;
  if (eigenvalues.size() < 2) return;
  const std::size_t gaps = eigenvalues.size() - 1;
  const auto width = [&](std::size_t i) { return eigenvalues[i] - eigenvalues[i + 1]; };
  // A gap as small as rounding says nothing about the side on which a value is.
  const double least = 64 * rounding * std::abs(eigenvalues[0]);
  for (std::size_t part = 0; part < kParts; ++part) {
    const std::size_t first = part * gaps / kParts, last = (part + 1) * gaps / kParts;
    std::size_t widest = first;
    for (std::size_t i = first; i < last; ++i)
      if (width(i) > width(widest)) widest = i;
    if (first == last || width(widest) <= least) continue;
    const std::uint64_t below = sturmCount(t, std::midpoint(eigenvalues[widest], eigenvalues[widest + 1]));
    ++certificate.shifts;
    certificate.agreeing += below == eigenvalues.size() - widest - 1;
  }
}

}  // namespace vitrine::core
