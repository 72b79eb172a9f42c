// The numbers that are read off a spectrum: how large a matrix is and how many directions it uses.
// In: singular values s_1 >= .. >= s_n >= 0 in the matrix's units. Ranks and condition have no unit.
//   effective rank  Roy & Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO 2007
//   stable rank     Rudelson & Vershynin, "Sampling from large matrices", J. ACM 54 (2007)
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace vitrine::core {

inline constexpr std::array<double, 3> kEnergyShares = {0.90, 0.95, 0.99};

// All zero for a zero matrix; never NaN.
struct SpectrumMetrics {
  double frobenius = 0;                      // sqrt(sum s^2)
  double s1 = 0;                             // the spectral norm
  double nuclear = 0;                        // sum s
  double stable_rank = 0;                    // sum s^2 / s_1^2, in [1, n]
  double effective_rank = 0;                 // exp(-sum p ln p) with p = s / sum s (Roy & Vetterli)
  double effective_rank_energy = 0;          // the same with p = s^2 / sum s^2
  double participation = 0;                  // (sum s^2)^2 / sum s^4
  std::array<std::size_t, 3> energy_rank{};  // the least k whose first k values hold kEnergyShares of sum s^2
  std::size_t rank = 0;                      // values above the floor
  double condition = 0;                      // s_1 / s_n; infinite where s_n and the floor are 0
  bool condition_is_bound = false;  // s_n is at or under the floor: `condition` is s_1 / floor, a lower bound
};

// `sigma` is descending, finite and not negative. A value at or below `floor` (same unit, >= 0) is noise of
// whatever computed it and counts as zero in every number. Takes values from 1e-300 to 1e300.
SpectrumMetrics spectrumMetrics(std::span<const double> sigma, double floor);

}  // namespace vitrine::core
