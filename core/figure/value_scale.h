// Maps values of the data to positions in [0, 1], linearly or logarithmically: of an axis, of a colour bar.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/figure/figure.h"
#include "core/figure/ticks.h"

namespace vitrine::core {

struct ValueScale {
  AxisScale kind = AxisScale::kLinear;
  double low = 0, high = 1;

  double position(double value) const;  // not clamped; a log scale puts values <= 0 at -infinity
  std::vector<Tick> ticks(std::size_t most) const;
};

// What a colour scale became for these values, and what the reader must be told about it.
struct ResolvedColors {
  ValueScale scale;
  std::size_t below = 0, above = 0;  // shown cells outside the range: they take the end colours
  std::size_t masked = 0;            // by the mask
  std::size_t not_finite = 0;        // NaN or infinite, outside the mask: drawn as masked
};

// `mask` is empty, or repeats over the values (values.size() is a multiple of its size).
// Errors: a range that is empty, not finite, or not positive on a log scale.
Result<ResolvedColors> resolveColors(const ColorScale& color, std::span<const float> values,
                                     std::span<const std::uint8_t> mask);

// The range of an axis for data between low and high (which may be equal, or empty with low > high): given
// bounds are kept, a linear axis gets a margin of 4 %, and nothing collapses to a point.
Result<ValueScale> resolveAxis(const Axis& axis, double low, double high, bool from_zero);

}  // namespace vitrine::core
