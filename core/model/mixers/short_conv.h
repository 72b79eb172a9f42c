// The gated short convolution of LFM2 (Liquid AI, arXiv:2511.23404): the input gives b, c and x of `channels`
// each; y = output(c * conv(b * x)).
#pragma once

#include <string_view>

#include "core/model/mixers/causal_conv.h"

namespace vitrine::core {

struct ShortConvSpec {
  static constexpr std::string_view kName = "short convolution";
  Linear input;     // (3 channels, d): b, then c, then x
  CausalConv conv;  // of b * x
  Linear output;    // (d, channels)
};

}  // namespace vitrine::core
