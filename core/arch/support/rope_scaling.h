// The arithmetic of rotary scalings, as Hugging Face transformers 5 and llama.cpp define them. A table holds
// rotary_dim / 2 inverse frequencies in radians a position.
#pragma once

#include <cstdint>
#include <vector>

namespace vitrine::core::arch {

using Frequencies = std::vector<double>;

// theta^(-2i / dim)
Frequencies plainFrequencies(double theta, std::uint32_t dim);

// Divides each frequency by its divisor; the sizes agree.
void divide(Frequencies& frequencies, const Frequencies& divisors);

// Llama 3.1: wavelengths that do not fit `low` times into the original context are divided by the factor,
// those that fit `high` times stay, those between are interpolated.
struct Llama3Scaling {
  double factor = 0, low = 0, high = 0, original_context = 0;
};
void scaleLlama3(const Llama3Scaling& scaling, Frequencies& frequencies);

// YaRN (arXiv 2309.00071): frequencies that turn more than beta_fast times within the original context stay,
// those that turn less than beta_slow times are divided by the factor, with a linear ramp over the indices
// between.
struct YarnScaling {
  double theta = 0, factor = 0, original_context = 0;
  double beta_fast = 32, beta_slow = 1;
  bool truncate = true;  // the ramp begins and ends at whole indices
};
void scaleYarn(const YarnScaling& scaling, Frequencies& frequencies);
double yarnMagnitude(double factor, double multiplier = 1);

// LongRoPE (arXiv 2402.13753).
double longropeMagnitude(double factor, double original_context);

}  // namespace vitrine::core::arch
