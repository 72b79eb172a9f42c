// What the spectrum of pure noise looks like, fitted to a spectrum's bulk. A is m x n, m >= n, with
// independent entries of variance v; the eigenvalues of A^T A / m, lambda = s^2 / m, then follow for large m,
// n
//   density(lambda) = sqrt((upper - lambda)(lambda - lower)) / (2 pi ratio v lambda),  ratio = n / m
//   lower, upper    = v (1 -+ sqrt(n / m))^2
// V. A. Marchenko & L. A. Pastur, "Distribution of eigenvalues for some sets of random matrices", Math. USSR
// Sbornik 1 (1967). The largest of them scatters by the law of Tracy and Widom around the upper edge:
// I. M. Johnstone, "On the distribution of the largest eigenvalue in PCA", Annals of Statistics 29 (2001).
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace vitrine::core {

// In the unit of lambda. Both functions take any number: outside of the edges the density is 0. In closed
// form.
struct MarchenkoPasturLaw {
  double variance = 1;  // v > 0, of an entry
  double ratio = 1;     // n / m, in (0, 1]

  double lower() const;
  double upper() const;
  double density(double lambda) const;
  double cdf(double lambda) const;
  double quantile(double share) const;  // cdf's inverse, share in [0, 1]; to about 1e-14 of the law's width
};

struct MarchenkoPasturFit {
  MarchenkoPasturLaw law;
  std::size_t long_side = 0;   // m
  std::size_t short_side = 0;  // n, the number of values
  double lower_sigma = 0;      // the edges in the unit of s: sqrt(m lambda)
  double upper_sigma = 0;
  double spike_sigma = 0;  // the edge plus Tracy-Widom's 99 % quantile: noise passes it once in 100
  std::size_t spikes = 0;  // values above spike_sigma; the others are the bulk
  double distance = 0;     // Kolmogorov-Smirnov, of the bulk from the law
  // How many independent entries would scatter the bulk as it is: n^2 mean(lambda)^2 / var(lambda) over the
  // bulk, as var / mean^2 = n / m for noise. About m n for noise, less where entries depend on each other or
  // differ in scale; more where spikes have left a bulk that is narrower than noise (see `distance`).
  double effective_entries = 0;

  double sigmaDensity(double s) const;  // for an overlay on a histogram of s: integrates to 1 over s
  double sigmaCdf(double s) const;
};

// v is what fits the quantiles of the middle 80 % of the bulk (least squares); values beyond spike_sigma
// leave the bulk, and both steps repeat until none does. `sigma`: the n singular values, descending, finite,
// >= 0. Nothing for fewer than 8 values in all or in the bulk, m < n, a constant or zero bulk, or s_1^2
// beyond a double.
std::optional<MarchenkoPasturFit> fitMarchenkoPastur(std::span<const double> sigma, std::size_t long_side);

}  // namespace vitrine::core
