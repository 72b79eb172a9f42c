// How much of a matrix its first singular values hold, and where one would cut.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vitrine::core {

// (n): sum_{i <= k} s_i^2 / sum s_i^2 for k = 1 .. n, ascending to 1; ones for a zero matrix. `sigma`:
// descending, from 1e-150 to 1e150.
std::vector<double> energyCurve(std::span<const double> sigma);

// The least k whose first k values hold `share` of the energy; 0 for a zero matrix.
std::size_t energyRank(std::span<const double> sigma, double share);

// sqrt(sum_{i > k} s_i^2 / sum s_i^2): the relative Frobenius error of the best approximation by k terms. 0
// for a zero matrix, and from k = n.
double truncationError(std::span<const double> sigma, std::size_t k);

// The k in 1 .. n whose value lies furthest below the chord from (1, s_1) to (n, s_n), which is where the
// curve turns from steep to flat; 1 where none lies below it. 0 for a zero matrix.
std::size_t elbowRank(std::span<const double> sigma);

}  // namespace vitrine::core
