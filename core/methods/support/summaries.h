// What several methods say of many numbers, and how they draw curves of many points.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"

namespace vitrine::core::methods {

// The middle one of the finite numbers (the upper of two); NaN where there is none.
double finiteMedian(std::vector<double> values);

// The line in colour `style` without markers, which would hide it.
LineSeries unmarked(LineSeries line, std::size_t style);
// The same dashed: a prediction beside what was measured.
LineSeries dashed(LineSeries line, std::size_t style);

// A seed of each matrix's own, the same on every machine: `seed` and the name's FNV-1a hash.
std::uint64_t seedOf(std::string_view name, std::uint64_t seed);

}  // namespace vitrine::core::methods
