// Is the tail of a spectrum a power law, and with what exponent? In: singular values s_1 >= .. >= s_n >= 0;
// the law is fitted to the eigenvalues x = s^2 of A A^T, never divided by the matrix's size:
//   density of the tail  p(x) = (alpha - 1) / xmin (x / xmin)^-alpha  for x >= xmin
//   for each xmin        alpha = 1 + k / sum ln(x / xmin) over the k values of the tail (maximum likelihood)
//   chosen               the xmin of the least Kolmogorov-Smirnov distance D between tail and law
// Clauset, Shalizi & Newman, "Power-law distributions in empirical data", SIAM Review 51 (2009),
// arXiv:0706.1062; as a measure of weights: Martin & Mahoney, "Implicit self-regularization in deep neural
// networks", JMLR 22 (2021), arXiv:1810.01075.
//
// An exponent alone says little (pure noise of 512 x 512 has alphas from 4 to 14): show D, tail and band too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vitrine::core {

enum class PowerLawRules {
  // Every distinct value with at least kLeastTail values from it upwards is a candidate; D is the largest
  // distance on either side of the tail's steps. Values at or below `floor` are left out. Blind to scale.
  kClauset,
  // What WeightWatcher 0.7.7 computes: x <= 1e-5 is left out (absolute, so scaling the matrix changes the
  // fit), every value but the last is a candidate, D is taken on the lower side of the steps alone. Fewer
  // than 20 values: alpha = 1 + (k - 1) / sum ln(x / xmin) over k >= 8. (It also computes an objective
  // D - 0.868 / sqrt(k) there, but then takes the least D all the same.)
  kWeightWatcher,
};

inline constexpr std::size_t kLeastTail = 8;

struct PowerLawOptions {
  PowerLawRules rules = PowerLawRules::kClauset;
  double floor = 0;              // kClauset: in the unit of s
  std::size_t replicates = 100;  // of the bootstrap; 0 leaves the band at alpha
  std::uint64_t seed = 0;
};

struct PowerLaw {
  double alpha = 0;
  double xmin = 0;       // s^2
  double distance = 0;   // D, in [0, 1]
  std::size_t tail = 0;  // values at or above xmin
  double sigma = 0;      // the standard error (alpha - 1) / sqrt(tail)
  // The 5 % and 95 % quantiles of alpha over tails drawn with replacement from this tail, each refitted at
  // this xmin: the spread of the exponent, not of the choice of xmin. Draws are hashes of (seed, replicate,
  // draw), so a band is the same on every machine.
  double alpha_low = 0;
  double alpha_high = 0;
};

// Nothing when fewer than kLeastTail values are left, when no tail spreads (all equal), or when s_1^2 is
// beyond the range of a double. `sigma` is descending and finite. 4,096 values take a few milliseconds.
std::optional<PowerLaw> fitPowerLaw(std::span<const double> sigma, const PowerLawOptions& options = {});

}  // namespace vitrine::core
