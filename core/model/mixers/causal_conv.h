// A causal convolution over time, a kernel of its own for each channel: y(t) = bias + sum over k of
// weight(k) * x(t + k + 1 - kernel), inputs before the first token being zero.
#pragma once

#include "core/model/weight_ref.h"

namespace vitrine::core {

// A kernel reaches back at most so many tokens, the present one counted.
inline constexpr std::uint32_t kLongestConvolution = 16;

struct CausalConv {
  std::uint32_t channels = 0, kernel = 0;
  WeightRef weight;  // (channels, kernel)
  WeightRef bias;    // (channels), may be empty
};

}  // namespace vitrine::core
