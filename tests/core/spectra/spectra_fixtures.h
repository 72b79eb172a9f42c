// Spectra that formulas make: the same values as in weightwatcher_golden.py, which prints what is expected of
// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

namespace vitrine::core::spectra_fixtures {

// z with Phi(z) = p, by bisection.
inline double normalQuantile(double p) {
  double low = -10;
  double high = 10;
  for (int step = 0; step < 80; ++step) {
    double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

// What follows are eigenvalues x = s^2 in any order.
inline std::vector<double> pareto(std::size_t n, double alpha) {
  std::vector<double> x;
  for (std::size_t i = 0; i < n; ++i)
    x.push_back(std::pow(1 - (static_cast<double>(i) + 0.5) / static_cast<double>(n), -1 / (alpha - 1)));
  return x;
}

inline std::vector<double> bulkAndTail(std::size_t n, std::size_t tail, double alpha) {
  std::vector<double> x = pareto(tail, alpha);
  for (std::size_t i = 0; i < n - tail; ++i) {
    double z = normalQuantile((static_cast<double>(i) + 0.5) / static_cast<double>(n - tail));
    x.push_back((1 + z / 4) * (1 + z / 4) / 4);
  }
  return x;
}

inline std::vector<double> waves(std::size_t n, double scale = 1) {
  std::vector<double> x;
  for (std::size_t i = 0; i < n; ++i) {
    double t = static_cast<double>(i) / static_cast<double>(n);
    x.push_back(scale * std::exp(3 * t * t + std::sin(5.0 * static_cast<double>(i)) / 5));
  }
  return x;
}

// Descending singular values of eigenvalues.
inline std::vector<double> sigmaOf(std::vector<double> x) {
  std::sort(x.begin(), x.end(), std::greater<>());
  for (double& value : x) value = std::sqrt(value);
  return x;
}

}  // namespace vitrine::core::spectra_fixtures
