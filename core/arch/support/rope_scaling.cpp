#include "core/arch/support/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gpu/error.h"

namespace vitrine::core::arch {

Frequencies plainFrequencies(double theta, std::uint32_t dim) {
  Frequencies frequencies(dim / 2);
  for (std::uint32_t i = 0; i < dim / 2; ++i) frequencies[i] = std::pow(theta, -2.0 * i / dim);
  return frequencies;
}

void divide(Frequencies& frequencies, const Frequencies& divisors) {
  VITRINE_ASSERT(frequencies.size() == divisors.size());
  for (std::size_t i = 0; i < frequencies.size(); ++i) frequencies[i] /= divisors[i];
}

void scaleLlama3(const Llama3Scaling& s, Frequencies& frequencies) {
  for (double& frequency : frequencies) {
    const double turns = s.original_context * frequency / (2 * std::numbers::pi);
    if (turns < s.low) {
      frequency /= s.factor;
    } else if (turns <= s.high) {
      const double smooth = (turns - s.low) / (s.high - s.low);
      frequency = (1 - smooth) * frequency / s.factor + smooth * frequency;
    }
  }
}

void scaleYarn(const YarnScaling& s, Frequencies& frequencies) {
  const double dim = 2.0 * static_cast<double>(frequencies.size());
  const auto index_that_turns = [&](double times) {
    return dim * std::log(s.original_context / (times * 2 * std::numbers::pi)) / (2 * std::log(s.theta));
  };
  double low = index_that_turns(s.beta_fast), high = index_that_turns(s.beta_slow);
  if (s.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1);
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / s.factor * ramp + frequencies[i] * (1 - ramp);
  }
}

double yarnMagnitude(double factor, double multiplier) {
  return factor <= 1 ? 1 : 0.1 * multiplier * std::log(factor) + 1;
}

double longropeMagnitude(double factor, double original_context) {
  return factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(original_context));
}

}  // namespace vitrine::core::arch
