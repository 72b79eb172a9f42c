// How close two arrays of numbers are: ||out - ref|| / ||ref|| in double, and the element that is furthest
// off. A NaN or an infinity that the reference does not have makes the distance infinite, so it can never
// pass.
//   EXPECT_CLOSE(out, ref, 1e-4)                    both are contiguous ranges of arithmetic values
//   EXPECT_CLOSE(out, ref, 1e-4) << "layer " << l;
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <ranges>
#include <span>

namespace vitrine::test {

struct Closeness {
  double relative = 0;          // ||out - ref|| / ||ref||; ||out|| / 0 is infinite unless out is zero too
  std::size_t worst_index = 0;  // the largest |out - ref|
  double worst_out = 0;
  double worst_reference = 0;
  bool same_size = true;
};

template <std::ranges::contiguous_range Out, std::ranges::contiguous_range Reference>
Closeness compare(const Out& out, const Reference& reference) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Closeness result;
  if (std::ranges::size(out) != std::ranges::size(reference)) {
    result.same_size = false;
    result.relative = kInfinity;
    return result;
  }
  double difference_squared = 0, reference_squared = 0, worst = -1;
  for (std::size_t i = 0; i < std::ranges::size(out); ++i) {
    const double value = static_cast<double>(std::ranges::data(out)[i]);
    const double wanted = static_cast<double>(std::ranges::data(reference)[i]);
    const bool same_infinity = std::isinf(wanted) && value == wanted;  // masked logits are -inf on both sides
    double difference = same_infinity ? 0 : std::abs(value - wanted);
    if (std::isnan(difference)) difference = kInfinity;
    if (difference > worst) {
      worst = difference;
      result.worst_index = i;
      result.worst_out = value;
      result.worst_reference = wanted;
    }
    difference_squared += difference * difference;
    if (!same_infinity) reference_squared += wanted * wanted;
  }
  if (difference_squared == 0) return result;
  result.relative = std::sqrt(difference_squared) / std::sqrt(reference_squared);
  if (std::isnan(result.relative)) result.relative = kInfinity;
  return result;
}

template <typename Out, typename Reference>
testing::AssertionResult isClose(const char* out_text, const char* reference_text, const char*,
                                 const Out& out, const Reference& reference, double tolerance) {
  const Closeness closeness = compare(out, reference);
  if (!closeness.same_size)
    return ::testing::AssertionFailure() << out_text << " has " << std::ranges::size(out) << " elements, "
                                         << reference_text << " has " << std::ranges::size(reference);
  if (std::ranges::size(reference) == 0)
    return ::testing::AssertionFailure()
           << out_text << " and " << reference_text << " are empty: nothing was compared";
  if (closeness.relative <= tolerance) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "||" << out_text << " - " << reference_text << "|| / ||" << reference_text << "|| is "
         << closeness.relative << ", more than " << tolerance << "; worst element " << closeness.worst_index
         << ": " << closeness.worst_out << " instead of " << closeness.worst_reference;
}

}  // namespace vitrine::test

#define EXPECT_CLOSE(out, reference, tolerance) \
  EXPECT_PRED_FORMAT3(::vitrine::test::isClose, out, reference, tolerance)
#define ASSERT_CLOSE(out, reference, tolerance) \
  ASSERT_PRED_FORMAT3(::vitrine::test::isClose, out, reference, tolerance)
