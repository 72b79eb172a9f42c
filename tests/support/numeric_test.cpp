#include "support/numeric.h"

#include <limits>
#include <vector>

namespace vitrine::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

bool close(const std::vector<float>& out, const std::vector<double>& reference, double tolerance) {
  return static_cast<bool>(isClose("out", "reference", "", out, reference, tolerance));
}

TEST(Closeness, IsTheRelativeNormOfTheDifference) {
  const std::vector<float> out{3, 4.5};
  const std::vector<float> reference{3, 4};
  const Closeness closeness = compare(out, reference);
  EXPECT_DOUBLE_EQ(closeness.relative, 0.1);
  EXPECT_EQ(closeness.worst_index, 1u);
  EXPECT_EQ(closeness.worst_out, 4.5);
  EXPECT_EQ(closeness.worst_reference, 4.0);
}

TEST(Closeness, AcceptsWithinAndRejectsBeyondTheTolerance) {
  EXPECT_TRUE(close({3, 4.5}, {3, 4}, 0.1001));
  EXPECT_FALSE(close({3, 4.5}, {3, 4}, 0.0999));
}

TEST(Closeness, NeverAcceptsNan) {
  EXPECT_FALSE(close({1, kNan}, {1, 2}, 1e300));
  EXPECT_FALSE(close({1, 2}, {1, kNan}, 1e300));
  EXPECT_FALSE(close({1, kNan}, {1, kNan}, 1e300)) << "a NaN in the reference is no reference";
  EXPECT_EQ(compare(std::vector<float>{1, kNan}, std::vector<float>{1, 2}).worst_index, 1u);
}

TEST(Closeness, AcceptsInfinityOnlyWhereTheReferenceHasTheSame) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(close({1, -infinity}, {1, -kInfinity}, 0));
  EXPECT_FALSE(close({1, infinity}, {1, -kInfinity}, 1e300));
  EXPECT_FALSE(close({1, infinity}, {1, 2}, 1e300));
  EXPECT_FALSE(close({1, 2}, {1, kInfinity}, 1e300));
}

TEST(Closeness, RejectsOtherSizesAndNothingAtAll) {
  EXPECT_FALSE(close({1, 2}, {1, 2, 3}, 1e300));
  EXPECT_FALSE(close({}, {}, 1e300));
}

TEST(Closeness, MeasuresAgainstAZeroReference) {
  EXPECT_TRUE(close({0, 0}, {0, 0}, 0));
  EXPECT_FALSE(close({0, 1e-30f}, {0, 0}, 1e300));
}

TEST(Closeness, DoesNotOverflowOnLargeFloats) {
  EXPECT_TRUE(close({3e38f, 3e38f}, {3e38f, 3e38f}, 0));
  EXPECT_FALSE(close({3e38f, -3e38f}, {3e38f, 3e38f}, 1));
}

}  // namespace
}  // namespace vitrine::test
