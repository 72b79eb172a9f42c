// A symmetric tridiagonal matrix, the form in which eigenvalues can be counted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <limits>

#include "core/spectra/spectrum.h"

namespace vitrine::core {

struct Tridiagonal {
  std::vector<double> diagonal;  // (n)
  std::vector<double> beside;    // (n - 1)
};

// How many eigenvalues are less than `shift`: the negative pivots of T - shift, which rounding moves by a few
// units of T's norm only (Kahan 1966; Demmel, Dhillon, Ren, ETNA 3, 1995).
std::uint64_t sturmCount(const Tridiagonal& t, double shift);

// Counts inside the widest gap between the given eigenvalues (descending) of each third of them, and
// compares. `rounding`: of the arithmetic that found them.
void certifyByCounts(const Tridiagonal& t, std::span<const double> eigenvalues,
                     SpectrumCertificate& certificate,
                     double rounding = std::numeric_limits<double>::epsilon());

}  // namespace vitrine::core
